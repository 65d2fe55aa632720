//! Settle: what an error leads to, decided in one place.

mod reason;

use std::time::Duration;

use common::files::FilesError;
use common::source::one_line;
use common::store::settle::PutOff;
use common::store::{Budget, Claim, Due, Moment, StoreError};
use common::time::{Day, Nanos};
use common::vendor::retry::RetryDelays;
use common::vendor::{Condition, VendorError};

use crate::bounds::{from_there, not_yet, set_apart};
use crate::environment::{Environment, Event, Outcome};
use crate::error::{ChunkError, chain};
use crate::measure;
pub use reason::{REASONS, reason};

/// How long to wait for another that fetches the same stream.
const TURN: Duration = Duration::from_secs(1);

/// The longest wait before a retry, whatever the vendor asks for.
pub const RETRY_WAIT_MAX: Duration = common::vendor::limiter::WAIT_MAX;

/// What to do about a chunk that its rules gave up.
const MEND: &str = ". Nothing of it was loaded; mend the rule or the mapping, or raise \
    max_quarantine_percent, and run the job again: it reads the archive";

/// How work goes on that its job's limit stopped.
const RAISE: &str = ". Nothing is lost: submit or run the job again with a higher max_cost_usd, and \
    it goes on";

/// What an error leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again, after this long at least.
    Retry(Option<Duration>),
    /// Load the whole days before this instant now, and the rest once the vendor has it.
    NotYet(Option<Nanos>),
    /// Load the whole days from this instant on; the vendor will never have those before.
    FromThere(Option<Nanos>),
    /// Set this day apart: it waits for the vendor, or is a known gap.
    SetApart(Day, Condition),
    /// Try again when the database is back; the chunk is as good as before.
    AfterOutage,
    /// Go on from what is kept; the chunk is better than before.
    Resume,
    /// Try again when another may have fetched its stream.
    AwaitTurn,
    /// Give the chunk up: it would fail again.
    Dead,
    /// Hand the chunk back, and pause its job: its budget is spent.
    PauseJob,
    /// Hand the chunk back, and pause all jobs: the vendor lets nobody in.
    PauseAll,
    /// Hand the chunk back: this process stops.
    HandBack,
    /// Hand the chunk back, and end this process: it can't write.
    EndProcess,
    /// Somebody else has the chunk: leave it alone.
    Drop,
}

/// What an error leads to. No arm catches the rest: a new error forces a decision.
#[must_use]
pub fn decide(error: &ChunkError) -> Decision {
    match error {
        ChunkError::Vendor(error) => match error {
            VendorError::Unauthorized { .. } | VendorError::AccountHeld { .. } => {
                Decision::PauseAll
            }
            VendorError::NotYet { available_end, .. } => Decision::NotYet(*available_end),
            VendorError::BeforeStart {
                available_start, ..
            } => Decision::FromThere(*available_start),
            VendorError::RateLimited { retry_after } => Decision::Retry(*retry_after),
            VendorError::Refused { .. } => Decision::Dead,
            // Symbols that resolve to nothing end a fetch as empty; elsewhere they are passing.
            VendorError::NoSession { .. }
            | VendorError::Unavailable { .. }
            | VendorError::Connection(_)
            | VendorError::Unreadable(_) => Decision::Retry(None),
        },
        ChunkError::Files(error) => match error {
            FilesError::NotCovered(_) => Decision::NotYet(None),
            FilesError::Refused(_) => Decision::Dead,
            FilesError::Changing { .. }
            | FilesError::Unreadable { .. }
            | FilesError::Encoding(_)
            | FilesError::Panic(_) => Decision::Retry(None),
            FilesError::Stopped => Decision::HandBack,
        },
        ChunkError::Store(error) => match error {
            StoreError::Fenced(_) => Decision::Drop,
            StoreError::OverBudget { .. } => Decision::PauseJob,
            StoreError::DiskFull => Decision::EndProcess,
            StoreError::Away(_) => Decision::AfterOutage,
            StoreError::Unreadable(_)
            | StoreError::Accounts(_)
            | StoreError::IllegalTransition(_) => Decision::Dead,
            StoreError::Database(_)
            | StoreError::Address(_)
            | StoreError::Unreachable(_)
            | StoreError::InUse(_)
            | StoreError::Version(_)
            | StoreError::Origin(_)
            | StoreError::Migration(_)
            // The pipeline loads again at once; this is for one that met others again and again.
            | StoreError::Contended => Decision::Retry(None),
        },
        ChunkError::Archive(error) => match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::ReadOnlyFilesystem
            | std::io::ErrorKind::PermissionDenied => Decision::EndProcess,
            _ => Decision::Retry(None),
        },
        ChunkError::Stream(_)
        | ChunkError::Count { .. }
        | ChunkError::Unmapped { .. }
        | ChunkError::OutsideRange { .. }
        | ChunkError::Differs { .. }
        | ChunkError::Damaged(_)
        | ChunkError::Panic(_) => Decision::Retry(None),
        ChunkError::Quarantine(_)
        | ChunkError::NoMapping(_)
        // These three end a replay, and leave the chunk as it was; no claimed chunk meets them.
        | ChunkError::NotArchived
        | ChunkError::Unresolved
        | ChunkError::OtherRecords { .. }
        | ChunkError::WorkersLost(_) => Decision::Dead,
        // However often a stream is cut: each time there is less to ask for.
        ChunkError::Cut { .. } => Decision::Resume,
        ChunkError::NotOurTurn => Decision::AwaitTurn,
        ChunkError::Absent { day, condition } => Decision::SetApart(*day, *condition),
        ChunkError::Stopped => Decision::HandBack,
    }
}

/// Carries out what an error leads to.
///
/// # Errors
/// [`StoreError`] when the database doesn't take it; the lease then runs out by itself.
pub async fn settle_error(
    environment: &Environment,
    claim: &Claim,
    error: &ChunkError,
) -> Result<Outcome, StoreError> {
    let store = &environment.store;
    let mut text = one_line(&chain(error));
    if matches!(error, ChunkError::Files(FilesError::Changing { .. })) {
        environment.sources.look_again(&claim.chunk.source).await;
    }
    if matches!(error, ChunkError::Quarantine(_)) {
        text.push_str(MEND);
    }
    if let ChunkError::Store(StoreError::OverBudget { budget, .. }) = error {
        text.push_str(&how_it_goes_on(*budget, claim));
    }
    match decide(error) {
        Decision::Drop => {
            note_lost(environment, claim).await;
            Ok(Outcome::HandedBack)
        }
        Decision::Dead => {
            store.give_up(claim, &text, Moment::Now).await?;
            Ok(Outcome::Dead { error: text })
        }
        Decision::Retry(at_least) => {
            let failures = claim.chunk.failures + 1;
            if failures >= environment.settings.attempts_max {
                store.give_up(claim, &text, Moment::Now).await?;
                return Ok(Outcome::Dead { error: text });
            }
            let delay = RetryDelays::by(&environment.settings).after(failures);
            let delay = delay.max(at_least.unwrap_or_default()).min(RETRY_WAIT_MAX);
            let why = PutOff::Failed(text.clone());
            store
                .put_off(claim, &why, Due::After(delay), Moment::Now)
                .await?;
            measure::retried(reason(error));
            Ok(Outcome::Retry { error: text })
        }
        Decision::AwaitTurn => {
            let why = PutOff::HandedBack(text);
            store
                .put_off(claim, &why, Due::After(TURN), Moment::Now)
                .await?;
            Ok(Outcome::Waits)
        }
        Decision::AfterOutage | Decision::Resume => {
            let why = PutOff::HandedBack(text.clone());
            let due = Due::After(RetryDelays::by(&environment.settings).after(1));
            store.put_off(claim, &why, due, Moment::Now).await?;
            measure::retried(reason(error));
            Ok(Outcome::Retry { error: text })
        }
        Decision::NotYet(available_end) => not_yet(environment, claim, available_end, text).await,
        Decision::FromThere(start) => from_there(environment, claim, start, text).await,
        Decision::SetApart(day, condition) => {
            set_apart(environment, claim, day, condition, text).await
        }
        decision @ (Decision::PauseJob | Decision::PauseAll) => {
            let job = (decision == Decision::PauseJob).then_some(claim.chunk.job);
            store.pause(job, &text).await?;
            let reason = text.clone();
            tell(environment, Event::Paused { reason }).await;
            hand_back(environment, claim, text).await
        }
        Decision::EndProcess => {
            environment.stop.cancel();
            // Told before it is written: with a full disk the database may not take the rest.
            let reason = text.clone();
            tell(environment, Event::Failed { reason }).await;
            hand_back(environment, claim, text).await
        }
        Decision::HandBack => hand_back(environment, claim, text).await,
    }
}

/// How work goes on that a budget stopped.
fn how_it_goes_on(budget: Budget, claim: &Claim) -> String {
    match budget {
        Budget::Job => RAISE.to_owned(),
        Budget::Month(month) => format!(
            ". Nothing is lost: once {month} is over, or where work begins with a higher \
             BACKHAUL_BUDGET_USD, `scheduler resume {}` lets it go on",
            claim.chunk.job
        ),
    }
}

async fn tell(environment: &Environment, event: Event) {
    // Nobody may be following.
    let _follower_gone = environment.events.send(event).await;
}

async fn hand_back(
    environment: &Environment,
    claim: &Claim,
    reason: String,
) -> Result<Outcome, StoreError> {
    let why = PutOff::HandedBack(reason);
    let due = Due::After(Duration::ZERO);
    environment
        .store
        .put_off(claim, &why, due, Moment::Now)
        .await?;
    Ok(Outcome::HandedBack)
}

/// Counts a chunk that was lost while it was worked on. That one was cancelled is nobody's fault; where
/// the database can't tell, it is counted.
pub(crate) async fn note_lost(environment: &Environment, claim: &Claim) {
    let cancelled = environment.store.is_cancelled(claim.chunk.id).await;
    if !matches!(cancelled, Ok(true)) {
        measure::lease_lost();
    }
}
