//! Errors: what each leads to, and what of it the database shows afterwards.

use std::io::ErrorKind;
use std::time::Duration;

use common::chunk::{ChunkEvent, ChunkId, ChunkState, JobId};
use common::configuration::document::Refusal;
use common::dbn_stream::StreamError;
use common::files::FilesError;
use common::money::Usd;
use common::store::{Budget, StoreError};
use common::time::Nanos;
use common::vendor::{Condition, Vendor, VendorError};
use dbn::{SType, Schema};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::{Event, Outcome};
use worker::error::ChunkError;
use worker::settle::{Decision, decide, settle_error};

use crate::installation::{Installation, day, january, outcomes, piece};

on_every_engine! {
    what_a_chunk_failed_of_is_told_in_one_line
    the_vendors_retry_after_is_waited_for_up_to_a_limit
    days_that_are_not_there_yet_are_put_off_and_no_failure
    a_chunk_is_dead_when_its_attempts_are_spent
    an_error_that_would_come_again_ends_a_chunk_at_once
    a_refused_key_pauses_every_job_and_leaves_its_chunk_as_it_was
    a_spent_budget_pauses_its_job_alone
    a_full_disk_ends_the_process_and_hands_the_chunk_back
    what_somebody_else_has_is_left_alone
}

fn words() -> String {
    "words".to_owned()
}

/// Nothing listens there.
async fn no_connection() -> VendorError {
    let sandbox = testkit::sandbox::Sandbox::new();
    let vendor = Vendor::new(&sandbox.settings("http://127.0.0.1:1")).unwrap();
    let days = january(4, 5);
    let symbols = piece(Schema::Trades, &["A"], days).symbols;
    let request =
        common::vendor::RangeRequest::new("X", Schema::Trades, SType::RawSymbol, &symbols, days);
    vendor.get_range(&request).await.unwrap_err()
}

fn database_error() -> StoreError {
    StoreError::from(sqlx::Error::RowNotFound)
}

/// Every vendor error, and what it leads to.
async fn vendor_errors() -> Vec<(VendorError, Decision)> {
    let end = Nanos(5);
    let wait = Duration::from_secs(7);
    let message = words;
    vec![
        (
            VendorError::Unauthorized { message: message() },
            Decision::PauseAll,
        ),
        (
            VendorError::AccountHeld { message: message() },
            Decision::PauseAll,
        ),
        (
            VendorError::NotYet {
                available_end: Some(end),
                message: message(),
            },
            Decision::NotYet(Some(end)),
        ),
        (
            VendorError::NotYet {
                available_end: None,
                message: message(),
            },
            Decision::NotYet(None),
        ),
        (
            VendorError::NoSession { message: message() },
            Decision::Retry(None),
        ),
        (
            VendorError::Refused {
                status: 404,
                case: None,
                message: message(),
            },
            Decision::Dead,
        ),
        (
            VendorError::RateLimited {
                retry_after: Some(wait),
            },
            Decision::Retry(Some(wait)),
        ),
        (
            VendorError::RateLimited { retry_after: None },
            Decision::Retry(None),
        ),
        (
            VendorError::Unavailable {
                status: 503,
                message: message(),
            },
            Decision::Retry(None),
        ),
        (no_connection().await, Decision::Retry(None)),
        (VendorError::Unreadable(words()), Decision::Retry(None)),
        (
            VendorError::BeforeStart {
                available_start: Some(end),
                message: words(),
            },
            Decision::FromThere(Some(end)),
        ),
    ]
}

/// Every store error, and what it leads to.
fn store_errors() -> Vec<(StoreError, Decision)> {
    let illegal = ChunkState::Done.after(ChunkEvent::Load).unwrap_err();
    let migration = sqlx::migrate::MigrateError::VersionMissing(1);
    vec![
        (StoreError::Address(words()), Decision::Retry(None)),
        (StoreError::InUse(words()), Decision::Retry(None)),
        (StoreError::Version(words()), Decision::Retry(None)),
        (StoreError::Fenced(ChunkId(1)), Decision::Drop),
        (
            StoreError::OverBudget {
                budget: Budget::Job,
                needed: Usd(1),
                limit: Usd(2),
                spent: Usd(2),
            },
            Decision::PauseJob,
        ),
        (StoreError::Origin(words()), Decision::Retry(None)),
        (StoreError::DiskFull, Decision::EndProcess),
        (StoreError::IllegalTransition(illegal), Decision::Dead),
        (StoreError::Unreadable(words()), Decision::Dead),
        (StoreError::Accounts(words()), Decision::Dead),
        (StoreError::Migration(migration), Decision::Retry(None)),
        (database_error(), Decision::Retry(None)),
        (StoreError::Contended, Decision::Retry(None)),
        (
            StoreError::Unreachable(sqlx::Error::PoolTimedOut),
            Decision::Retry(None),
        ),
        (
            StoreError::from(sqlx::Error::PoolTimedOut),
            Decision::AfterOutage,
        ),
    ]
}

/// Every way for a stream not to be whole: all are worth another try.
fn stream_errors() -> Vec<StreamError> {
    let source = || std::io::Error::other("words");
    vec![
        StreamError::Empty,
        StreamError::CutInFrame { records: 1 },
        StreamError::CutInHeader,
        StreamError::CutInRecord { records: 1 },
        StreamError::Compression {
            records: 1,
            source: source(),
        },
        StreamError::Records {
            records: 1,
            source: dbn::Error::io(source(), "reading"),
        },
        StreamError::Foreign {
            number: 1,
            what: "is foreign",
        },
    ]
}

/// Which variant it is. A new one does not compile here until a table above has it.
fn vendor_variant(error: &VendorError) -> usize {
    match error {
        VendorError::Unauthorized { .. } => 0,
        VendorError::AccountHeld { .. } => 1,
        VendorError::NotYet { .. } => 2,
        VendorError::NoSession { .. } => 3,
        VendorError::Refused { .. } => 4,
        VendorError::RateLimited { .. } => 5,
        VendorError::Unavailable { .. } => 6,
        VendorError::Connection(_) => 7,
        VendorError::Unreadable(_) => 8,
        VendorError::BeforeStart { .. } => 9,
    }
}

fn store_variant(error: &StoreError) -> usize {
    match error {
        StoreError::Address(_) => 0,
        StoreError::InUse(_) => 1,
        StoreError::Version(_) => 2,
        StoreError::Fenced(_) => 3,
        StoreError::OverBudget { .. } => 4,
        StoreError::Origin(_) => 5,
        StoreError::DiskFull => 6,
        StoreError::IllegalTransition(_) => 7,
        StoreError::Unreadable(_) => 8,
        StoreError::Accounts(_) => 9,
        StoreError::Migration(_) => 10,
        StoreError::Database(_) => 11,
        StoreError::Contended => 12,
        StoreError::Unreachable(_) => 13,
        StoreError::Away(_) => 14,
    }
}

fn stream_variant(error: &StreamError) -> usize {
    match error {
        StreamError::Empty => 0,
        StreamError::CutInFrame { .. } => 1,
        StreamError::CutInHeader => 2,
        StreamError::CutInRecord { .. } => 3,
        StreamError::Compression { .. } => 4,
        StreamError::Records { .. } => 5,
        StreamError::Foreign { .. } => 6,
    }
}

fn assert_all(mut variants: Vec<usize>, last: usize) {
    variants.dedup();
    assert_eq!(variants, (0..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_error_leads_to_what_it_should() {
    let vendor = vendor_errors().await;
    assert_all(
        vendor
            .iter()
            .map(|(error, _)| vendor_variant(error))
            .collect(),
        9,
    );
    let store = store_errors();
    assert_all(
        store
            .iter()
            .map(|(error, _)| store_variant(error))
            .collect(),
        14,
    );
    let stream = stream_errors();
    assert_all(stream.iter().map(stream_variant).collect(), 6);

    let vendor = vendor
        .into_iter()
        .map(|(error, to)| (ChunkError::from(error), to));
    let store = store
        .into_iter()
        .map(|(error, to)| (ChunkError::from(error), to));
    let stream = stream
        .into_iter()
        .map(|error| (ChunkError::from(error), Decision::Retry(None)));
    for (error, decision) in vendor.chain(store).chain(stream) {
        assert_eq!(decide(&error), decision, "{error:?}");
    }
}

#[test]
fn errors_of_the_work_itself_lead_to_what_they_should() {
    let archive = |kind: ErrorKind| ChunkError::Archive(kind.into());
    let unmapped = ChunkError::Unmapped {
        instrument_id: 1,
        time: Nanos(1),
    };
    let count = ChunkError::Count {
        received: 1,
        counted: 2,
    };
    let decisions = [
        (count, Decision::Retry(None)),
        (unmapped, Decision::Retry(None)),
        (
            ChunkError::Files(FilesError::NotCovered(words())),
            Decision::NotYet(None),
        ),
        (
            ChunkError::Files(Refusal::of(words(), words(), "help").into()),
            Decision::Dead,
        ),
        (
            ChunkError::Files(FilesError::Changing { path: words() }),
            Decision::Retry(None),
        ),
        (ChunkError::Files(FilesError::Stopped), Decision::HandBack),
        (
            ChunkError::Files(FilesError::Panic(words())),
            Decision::Retry(None),
        ),
        (ChunkError::Damaged(words()), Decision::Retry(None)),
        (ChunkError::Panic(words()), Decision::Retry(None)),
        (ChunkError::NoMapping(Schema::Mbo), Decision::Dead),
        (ChunkError::Stopped, Decision::HandBack),
        (
            ChunkError::Absent {
                day: day(1, 9),
                condition: Condition::Missing,
            },
            Decision::SetApart(day(1, 9), Condition::Missing),
        ),
        (archive(ErrorKind::StorageFull), Decision::EndProcess),
        (archive(ErrorKind::QuotaExceeded), Decision::EndProcess),
        (archive(ErrorKind::ReadOnlyFilesystem), Decision::EndProcess),
        (archive(ErrorKind::PermissionDenied), Decision::EndProcess),
        (archive(ErrorKind::NotFound), Decision::Retry(None)),
        (archive(ErrorKind::UnexpectedEof), Decision::Retry(None)),
    ];
    for (error, decision) in decisions {
        assert_eq!(decide(&error), decision, "{error:?}");
    }
}

/// An installation with one job of one chunk.
async fn one_chunk(engine: &Engine, attempts_max: u32) -> (Installation, JobId) {
    let installation =
        Installation::with(engine, |settings| settings.attempts_max = attempts_max).await;
    let pieces = [piece(Schema::Trades, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    (installation, job)
}

async fn settle(installation: &Installation, job: JobId, error: ChunkError) -> Outcome {
    let claim = installation.claim(job).await;
    let settled = settle_error(&installation.environment, &claim, &error).await;
    settled.unwrap()
}

async fn what_a_chunk_failed_of_is_told_in_one_line(engine: &Engine) {
    let (installation, job) = one_chunk(engine, 10).await;
    let refusal = Refusal::of("a.dbn", "the file is cut", "download it again");
    let outcome = settle(&installation, job, ChunkError::Files(refusal.into())).await;
    let Outcome::Dead { error } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(
        error.contains("a.dbn") && error.contains("download it again"),
        "{error}"
    );
}

/// Seconds from before the settlement until the chunk is due.
async fn wait_after(engine: &Engine, error: VendorError, at: Nanos) -> (f64, i64) {
    let (installation, job) = one_chunk(engine, 10).await;
    settle(&installation, job, error.into()).await;
    assert_eq!(installation.chunks("pending").await, 1);
    let due = Nanos(installation.number("SELECT due_at FROM chunks").await);
    let failures = installation.number("SELECT failures FROM chunks").await;
    (due.seconds_since(at), failures)
}

async fn the_vendors_retry_after_is_waited_for_up_to_a_limit(engine: &Engine) {
    let limited = |seconds| VendorError::RateLimited {
        retry_after: Some(Duration::from_secs(seconds)),
    };
    let (waits, failures) = wait_after(engine, limited(120), Nanos::now()).await;
    assert!(waits >= 120.0 && failures == 1, "{waits}");
    let before = Nanos::now();
    let (waits, _) = wait_after(engine, limited(1_000_000), before).await;
    let passed = Nanos::now().seconds_since(before);
    assert!(waits >= 600.0 && waits <= 600.0 + passed, "{waits}");
    // Its own delays are in hundredths of a second.
    let before = Nanos::now();
    let (waits, _) = wait_after(engine, limited(0), before).await;
    let passed = Nanos::now().seconds_since(before);
    assert!(waits > 0.0 && waits <= 0.15 + passed, "{waits}");
}

async fn days_that_are_not_there_yet_are_put_off_and_no_failure(engine: &Engine) {
    let not_yet = |available_end| VendorError::NotYet {
        available_end,
        message: words(),
    };
    let hour = 3_600.0;
    let (waits, failures) = wait_after(engine, not_yet(None), Nanos::now()).await;
    assert!(waits >= hour && failures == 0, "{waits}");
    // What is missing of the chunk's day will be there that much later.
    let end = day(1, 5).start().plus_seconds(-5.0 * hour);
    let (waits, failures) = wait_after(engine, not_yet(Some(end)), Nanos::now()).await;
    assert!(waits >= 5.0 * hour && failures == 0, "{waits}");
    let before = Nanos::now();
    let (waits, _) = wait_after(engine, not_yet(Some(Nanos(0))), before).await;
    let passed = Nanos::now().seconds_since(before);
    let week = 7.0 * 24.0 * hour;
    assert!(waits >= week && waits <= week + passed, "{waits}");
}

async fn a_chunk_is_dead_when_its_attempts_are_spent(engine: &Engine) {
    let (mut installation, job) = one_chunk(engine, 3).await;
    let fault = simulator::Fault::next(simulator::FaultKind::ServerErrorText, 100);
    installation
        .simulator
        .add_fault(fault.on_path("timeseries.get_range"));
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    assert!(matches!(outcomes[2], Outcome::Dead { .. }), "{outcomes:?}");
    assert_eq!(installation.chunks("dead").await, 1);
    assert_eq!(installation.data_requests().len(), 3);
    assert_eq!(installation.number("SELECT failures FROM chunks").await, 3);
    let error = installation.text("SELECT error FROM chunks").await;
    assert!(
        error.starts_with("the vendor's service failed (HTTP 503)"),
        "{error}"
    );
}

async fn an_error_that_would_come_again_ends_a_chunk_at_once(engine: &Engine) {
    let (installation, job) = one_chunk(engine, 10).await;
    let error = VendorError::Refused {
        status: 422,
        case: Some("case".into()),
        message: words(),
    };
    let outcome = settle(&installation, job, error.into()).await;
    assert!(matches!(outcome, Outcome::Dead { .. }), "{outcome:?}");
    assert_eq!(installation.chunks("dead").await, 1);
}

async fn a_refused_key_pauses_every_job_and_leaves_its_chunk_as_it_was(engine: &Engine) {
    let (mut installation, job) = one_chunk(engine, 10).await;
    let pieces = [piece(Schema::Tbbo, &["CL.c.0"], january(4, 5))];
    let other = installation
        .submit("other", SType::Continuous, &pieces)
        .await;
    let fault = simulator::Fault::next(simulator::FaultKind::Unauthorized, 1);
    installation
        .simulator
        .add_fault(fault.on_path("timeseries.get_range"));
    let told = installation.work_off(job).await;
    let paused = |event: &&Event| matches!(event, Event::Paused { .. });
    assert_eq!(told.iter().filter(paused).count(), 1, "{told:?}");
    assert_eq!(outcomes(&told), [&Outcome::HandedBack]);
    let paused = "SELECT count(*) FROM jobs WHERE state = 'paused' AND reason LIKE '%API key%'";
    assert_eq!(installation.number(paused).await, 2);
    assert_eq!(installation.chunks("pending").await, 2);
    assert_eq!(
        installation
            .number("SELECT max(failures) FROM chunks")
            .await,
        0
    );
    // Paused work is not claimed, not even when it is asked for.
    installation.work_off(other).await;
    assert_eq!(installation.data_requests().len(), 1);
}

async fn a_spent_budget_pauses_its_job_alone(engine: &Engine) {
    let (installation, job) = one_chunk(engine, 10).await;
    let pieces = [piece(Schema::Tbbo, &["CL.c.0"], january(4, 5))];
    installation
        .submit("other", SType::Continuous, &pieces)
        .await;
    let error = StoreError::OverBudget {
        budget: Budget::Job,
        needed: Usd(1),
        limit: Usd(2),
        spent: Usd(2),
    };
    let outcome = settle(&installation, job, error.into()).await;
    assert_eq!(outcome, Outcome::HandedBack);
    let states = installation
        .database
        .texts("SELECT state FROM jobs ORDER BY id");
    assert_eq!(states.await, ["paused", "active"]);
    assert_eq!(installation.chunks("pending").await, 2);
}

async fn a_full_disk_ends_the_process_and_hands_the_chunk_back(engine: &Engine) {
    let (installation, job) = one_chunk(engine, 10).await;
    let error = ChunkError::Archive(ErrorKind::StorageFull.into());
    assert_eq!(settle(&installation, job, error).await, Outcome::HandedBack);
    assert!(installation.environment.stop.is_cancelled());
    assert_eq!(installation.chunks("pending").await, 1);
    assert_eq!(installation.number("SELECT failures FROM chunks").await, 0);
}

async fn what_somebody_else_has_is_left_alone(engine: &Engine) {
    let (installation, job) = one_chunk(engine, 10).await;
    let error = StoreError::Fenced(ChunkId(1));
    let outcome = settle(&installation, job, error.into()).await;
    assert_eq!(outcome, Outcome::HandedBack);
    assert_eq!(installation.chunks("running").await, 1);
}
