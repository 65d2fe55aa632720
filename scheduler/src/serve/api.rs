//! `/api/overview`: what the page shows, as JSON. Each field is documented in `docs/serve.md`.

use std::fmt::Display;

use common::chunk::{ChunkId, ChunkState, JobId};
use common::money::Usd;
use common::store::{Failure, JobStatus, Part};
use common::time::{Day, Nanos};
use serde::{Serialize, Serializer};

use super::concern::{Concern, concerns};
use super::watch::Seen;
use crate::overview::{JobProgress, Money, Overview, Run};

/// Characters of a chunk's symbols: there can be thousands, and somebody asks each second.
const SYMBOLS_MAX: usize = 200;

/// The whole document.
#[derive(Serialize)]
struct Document<'a> {
    database: &'static str,
    #[serde(serialize_with = "as_text_or_null")]
    at: Option<Nanos>,
    well: bool,
    concerns: Vec<Concern>,
    jobs_total: usize,
    jobs: Vec<Job<'a>>,
    workers: Option<Vec<Worker<'a>>>,
    running: Vec<Running<'a>>,
    failures: Vec<Failed<'a>>,
    throughput: Vec<Minute>,
    money: Option<Spent<'a>>,
}

#[derive(Serialize)]
struct Job<'a> {
    #[serde(flatten)]
    status: &'a JobStatus,
    limit_usd: Option<Usd>,
    records_per_second: Option<u64>,
    seconds_left: Option<u64>,
}

#[derive(Serialize)]
struct Worker<'a> {
    worker: &'a str,
    #[serde(serialize_with = "as_text")]
    heard_at: Nanos,
    running: u64,
}

/// Which part of which job a chunk is.
#[derive(Serialize)]
struct Where<'a> {
    chunk: ChunkId,
    job: JobId,
    job_name: &'a str,
    schema: &'a str,
    symbols: String,
    start: Day,
    end: Day,
}

#[derive(Serialize)]
struct Running<'a> {
    #[serde(flatten)]
    part: Where<'a>,
    worker: &'a str,
    attempt: i64,
    #[serde(serialize_with = "as_text")]
    since: Nanos,
    #[serde(serialize_with = "as_text")]
    lease_until: Nanos,
    expected: u64,
    stage: Option<&'a str>,
    records: Option<u64>,
}

#[derive(Serialize)]
struct Failed<'a> {
    #[serde(flatten)]
    part: Where<'a>,
    #[serde(serialize_with = "as_text")]
    state: ChunkState,
    failures: u64,
    error: &'a str,
    #[serde(serialize_with = "as_text")]
    at: Nanos,
    #[serde(serialize_with = "as_text_or_null")]
    next_try_at: Option<Nanos>,
}

#[derive(Serialize)]
struct Minute {
    #[serde(serialize_with = "as_text")]
    minute: Nanos,
    chunks: u64,
    rows: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Spent<'a> {
    month: String,
    settled_usd: Usd,
    reserved_usd: Usd,
    saved_usd: Usd,
    budget_usd: Option<Usd>,
    limited_jobs: Vec<Limited<'a>>,
}

#[derive(Serialize)]
struct Limited<'a> {
    job: JobId,
    name: &'a str,
    spent_usd: Usd,
    limit_usd: Usd,
}

/// The document of what was seen, which is nothing before the first look.
#[must_use]
pub fn overview(seen: Option<&Seen>, is_fleet: bool) -> String {
    let overview = seen.and_then(Seen::overview);
    let concerns = overview.map_or_else(Vec::new, |of| concerns(of, is_fleet));
    let is_known = matches!(seen, Some(Seen::Installation(_) | Seen::NoDatabase));
    let document = Document {
        database: match seen {
            Some(Seen::Installation(_)) => "there",
            Some(Seen::NoDatabase) => "none",
            Some(Seen::Away { .. }) => "away",
            None => "asked",
        },
        at: overview.map(|of| of.at),
        well: is_known && concerns.is_empty(),
        concerns,
        jobs_total: overview.map_or(0, |of| of.totals.jobs),
        jobs: all(overview, |of| of.jobs.iter().map(job_of).collect()),
        workers: overview.and_then(workers),
        running: all(overview, |of| of.running.iter().map(running).collect()),
        failures: all(overview, |of| of.failures.iter().map(failed).collect()),
        throughput: all(overview, minutes),
        money: overview.map(|of| spent(&of.money)),
    };
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn all<'a, T>(of: Option<&'a Overview>, take: impl Fn(&'a Overview) -> Vec<T>) -> Vec<T> {
    of.map_or_else(Vec::new, take)
}

fn job_of(job: &JobProgress) -> Job<'_> {
    Job {
        status: &job.status,
        limit_usd: job.limit,
        records_per_second: job.records_per_second,
        seconds_left: job.seconds_left,
    }
}

fn workers(overview: &Overview) -> Option<Vec<Worker<'_>>> {
    let workers = overview.workers.as_ref()?.iter();
    let told = workers.map(|heard| Worker {
        worker: &heard.worker,
        heard_at: heard.at,
        running: overview.run_by(&heard.worker),
    });
    Some(told.collect())
}

fn part(part: &Part) -> Where<'_> {
    Where {
        chunk: part.chunk,
        job: part.job,
        job_name: &part.job_name,
        schema: &part.schema,
        symbols: part.symbols_within(SYMBOLS_MAX),
        start: part.days.start(),
        end: part.days.end(),
    }
}

fn running(run: &Run) -> Running<'_> {
    let (working, seen) = (&run.working, run.seen.as_ref());
    Running {
        part: part(&working.part),
        worker: &working.worker,
        attempt: working.epoch,
        since: working.since,
        lease_until: working.lease_until,
        expected: working.expected,
        stage: seen.map(|seen| &*seen.stage),
        records: seen.map(|seen| seen.records),
    }
}

fn failed(failure: &Failure) -> Failed<'_> {
    let is_tried_again = failure.state == ChunkState::Pending;
    Failed {
        part: part(&failure.part),
        state: failure.state,
        failures: failure.failures,
        error: &failure.error,
        at: failure.at,
        next_try_at: Some(failure.due_at).filter(|_| is_tried_again),
    }
}

fn minutes(overview: &Overview) -> Vec<Minute> {
    let minutes = overview.throughput.iter();
    let told = minutes.map(|of| Minute {
        minute: of.begins(),
        chunks: of.chunks,
        rows: of.rows,
        bytes: of.bytes,
    });
    told.collect()
}

fn spent(money: &Money) -> Spent<'_> {
    let limited = money.limited.iter().map(|of| Limited {
        job: of.job,
        name: &of.name,
        spent_usd: of.committed,
        limit_usd: of.limit,
    });
    Spent {
        month: money.month.to_string(),
        settled_usd: money.spent.settled,
        reserved_usd: money.spent.reserved,
        saved_usd: money.spent.saved,
        budget_usd: money.budget,
        limited_jobs: limited.collect(),
    }
}

/// What prints itself as JSON is to have it: an instant as RFC 3339, a state by its name.
pub fn as_text<S: Serializer>(what: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(what)
}

fn as_text_or_null<S: Serializer>(
    instant: &Option<Nanos>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match instant {
        Some(instant) => as_text(instant, serializer),
        None => serializer.serialize_none(),
    }
}
