//! Bounds: a chunk that reaches beyond what its source has is cut there, so that what is there is
//! loaded now.

use std::time::Duration;

use common::request::JobSource;
use common::store::cut::Cut;
use common::store::settle::PutOff;
use common::store::{Claim, Due, Moment, StoreError};
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::Condition;

use crate::environment::{Environment, Outcome};

/// How long to wait for days that the vendor doesn't have yet, when it doesn't say.
const NOT_YET: Duration = Duration::from_secs(3600);
/// The longest that a chunk waits before the vendor is asked again.
const WAIT_SECONDS_MAX: f64 = 7.0 * 86_400.0;

/// The source's data ends within the chunk, or before it: its whole days before the end are due now,
/// and the rest when its first day will be there.
pub(crate) async fn not_yet(
    environment: &Environment,
    claim: &Claim,
    available_end: Option<Nanos>,
    why: String,
) -> Result<Outcome, StoreError> {
    let days = claim.chunk.days;
    let range = match available_end {
        Some(_) => None,
        None => available(environment, claim).await,
    };
    if let Some(start) = range
        .map(|range| range.start)
        .filter(|start| days.span().start < *start)
    {
        return from_there(environment, claim, Some(start), why).await;
    }
    let reaches_beyond = |end: &Nanos| *end < days.span().end;
    let end = available_end.or(range.map(|range| range.end).filter(reaches_beyond));
    match end.map(Nanos::day).filter(|cut| within(days, *cut)) {
        Some(at) => {
            let second_due = wait(at.plus(1).start(), end);
            cut(environment, claim, at, second_due, why).await
        }
        None => put_off(environment, claim, wait(days.span().end, end), why).await,
    }
}

/// The source's data begins within the chunk, or after it: what lies before is called off.
pub(crate) async fn from_there(
    environment: &Environment,
    claim: &Claim,
    available_start: Option<Nanos>,
    why: String,
) -> Result<Outcome, StoreError> {
    let days = claim.chunk.days;
    let start = match available_start {
        Some(start) => Some(start),
        None => available(environment, claim).await.map(|range| range.start),
    };
    match start.map(Nanos::next_midnight) {
        Some(first) if first >= days.end() => call_off(environment, claim, why).await,
        Some(first) if within(days, first) => {
            cut(environment, claim, first, Duration::ZERO, why).await
        }
        // It says that the days begin too early, and they don't: asking again would not help.
        Some(_) | None => {
            let store = &environment.store;
            store.give_up(claim, &why, Moment::Now).await?;
            Ok(Outcome::Dead { error: why })
        }
    }
}

/// A day that the source doesn't have waits by itself, or is called off when it is a known gap; the
/// days around it are due now.
pub(crate) async fn set_apart(
    environment: &Environment,
    claim: &Claim,
    day: Day,
    condition: Condition,
    why: String,
) -> Result<Outcome, StoreError> {
    let days = claim.chunk.days;
    let cuts = [day, day.plus(1)];
    match cuts.into_iter().find(|cut| within(days, *cut)) {
        Some(at) => cut(environment, claim, at, Duration::ZERO, why).await,
        None if condition == Condition::Missing => call_off(environment, claim, why).await,
        None => put_off(environment, claim, NOT_YET, why).await,
    }
}

async fn put_off(
    environment: &Environment,
    claim: &Claim,
    wait: Duration,
    why: String,
) -> Result<Outcome, StoreError> {
    let put_off = PutOff::NotYet(why.clone());
    let (store, due) = (&environment.store, Due::After(wait));
    store.put_off(claim, &put_off, due, Moment::Now).await?;
    Ok(Outcome::NotYet { error: why })
}

async fn cut(
    environment: &Environment,
    claim: &Claim,
    at: Day,
    second_due: Duration,
    why: String,
) -> Result<Outcome, StoreError> {
    let cut = Cut {
        at,
        why: why.clone(),
        second_due,
    };
    environment.store.cut(claim, &cut, Moment::Now).await?;
    Ok(Outcome::NotYet { error: why })
}

async fn call_off(
    environment: &Environment,
    claim: &Claim,
    reason: String,
) -> Result<Outcome, StoreError> {
    let store = &environment.store;
    store.call_off(claim, &reason, Moment::Now).await?;
    Ok(Outcome::Gap { reason })
}

/// From when until when the source has the chunk's schema; `None` when it doesn't answer, as the
/// error that led here is dealt with all the same.
async fn available(environment: &Environment, claim: &Claim) -> Option<Span> {
    let chunk = &claim.chunk;
    if chunk.source != JobSource::Vendor {
        // A folder says by symbol what it lacks, and that may come in any order.
        return None;
    }
    let source = environment.sources.of(&chunk.source).await.ok()?;
    source.available(&chunk.dataset, chunk.schema).await.ok()
}

/// Whether a cut there leaves days on both sides.
fn within(days: DayRange, cut: Day) -> bool {
    days.start() < cut && cut < days.end()
}

/// The source's data grows as time passes: what is missing up to `wanted` today will be there that
/// much later.
fn wait(wanted: Nanos, available_end: Option<Nanos>) -> Duration {
    let missing = available_end.map(|end| wanted.seconds_since(end));
    let wait = missing.unwrap_or(0.0).max(NOT_YET.as_secs_f64());
    Duration::from_secs_f64(wait.min(WAIT_SECONDS_MAX))
}
