//! Figures: what the database and Redis say of an installation, as metrics.

use std::time::Duration;

use common::metrics::{
    BUDGET, CHUNKS, JOBS, LAST_SUCCESS, OLDEST_DUE_CHUNK, QUEUE_DEPTH, SPEND, UNLABELLED, UP,
    WORKERS, gauged,
};
use common::money::Usd;
use common::progress::{HEARD_WITHIN_SECONDS, Progress};
use common::queue::RedisQueue;
use common::store::{Figures, Moment};
use common::time::Nanos;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use worker::monitor::told;

use super::database::Database;

/// How long an answer stands: however many scrape, the database is asked once.
const STANDS: Duration = Duration::from_secs(1);
/// How long the database, and Redis, may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

const JOB_STATES: [&str; 6] = [
    "pending",
    "running",
    "done",
    "incomplete",
    "paused",
    "cancelled",
];

/// What a fleet has in Redis.
#[derive(Debug)]
pub struct Fleet {
    /// The queue.
    pub queue: RedisQueue,
    /// Who works.
    pub progress: Progress,
}

/// What Redis says.
struct Queued {
    waiting: u64,
    workers: u64,
}

/// Tells the figures of an installation.
#[derive(Debug)]
pub struct Teller {
    database: Database,
    budget: Option<Usd>,
    fleet: Option<Fleet>,
    last: Mutex<Option<(Instant, String)>>,
}

impl Teller {
    /// One that has told nothing yet.
    #[must_use]
    pub fn new(database: Database, budget: Option<Usd>, fleet: Option<Fleet>) -> Self {
        Self {
            database,
            budget,
            fleet,
            last: Mutex::default(),
        }
    }

    /// The figures as Prometheus' text. What doesn't answer is told to be away, and nothing else of it.
    pub async fn tell(&self) -> String {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = &*last
            && at.elapsed() < STANDS
        {
            return text.clone();
        }
        let (figures, queued) = tokio::join!(self.figures(), self.queued());
        let text = told(|| {
            UP.set(is_up(figures.is_some()), ["database"]);
            if self.fleet.is_some() {
                UP.set(is_up(queued.is_some()), ["redis"]);
            }
            if let Some(budget) = self.budget {
                BUDGET.set(dollars(budget), UNLABELLED);
            }
            if let Some(figures) = figures {
                count_figures(&figures);
            }
            if let Some(queued) = queued {
                QUEUE_DEPTH.set(gauged(queued.waiting), UNLABELLED);
                WORKERS.set(gauged(queued.workers), UNLABELLED);
            }
        });
        *last = Some((Instant::now(), text.clone()));
        text
    }

    async fn figures(&self) -> Option<Figures> {
        // Where there is none yet there is nothing to tell.
        let store = self.database.get()?;
        match timeout(ANSWER_MAX, store.figures(Moment::Now)).await {
            Ok(Ok(figures)) => Some(figures),
            Ok(Err(error)) => {
                tracing::warn!(error = worker::error::chain(&error), "there are no figures");
                None
            }
            Err(_late) => {
                tracing::warn!("there are no figures: the database takes too long");
                None
            }
        }
    }

    async fn queued(&self) -> Option<Queued> {
        let fleet = self.fleet.as_ref()?;
        let now = Nanos::now();
        let asked = async {
            tokio::join!(
                fleet.queue.len(),
                fleet.progress.workers_heard(now, HEARD_WITHIN_SECONDS)
            )
        };
        match timeout(ANSWER_MAX, asked).await {
            Ok((Ok(length), Ok(workers))) => Some(Queued {
                waiting: length.waiting,
                workers,
            }),
            Ok((Err(error), _) | (_, Err(error))) => {
                tracing::warn!(error = worker::error::chain(&error), "Redis doesn't answer");
                None
            }
            Err(_late) => {
                tracing::warn!("Redis takes too long");
                None
            }
        }
    }
}

fn count_figures(figures: &Figures) {
    for (schema, chunks) in &figures.chunks {
        for (state, count) in [
            ("pending", chunks.pending),
            ("running", chunks.running),
            ("done", chunks.done),
            ("empty", chunks.empty),
            ("dead", chunks.dead),
            ("cancelled", chunks.cancelled),
        ] {
            CHUNKS.set(gauged(count), [state.to_owned(), schema.clone()]);
        }
    }
    for state in JOB_STATES {
        JOBS.set(gauged(figures.jobs_in(state)), [state]);
    }
    OLDEST_DUE_CHUNK.set(figures.oldest_due_seconds(), UNLABELLED);
    if let Some(time) = figures.last_success {
        LAST_SUCCESS.set(time.seconds_since(Nanos(0)), UNLABELLED);
    }
    let spend = &figures.spend;
    for (kind, amount) in [
        ("reserved", spend.reserved),
        ("settled", spend.settled),
        ("saved", spend.saved),
    ] {
        SPEND.set(dollars(amount), [kind]);
    }
}

fn is_up(answered: bool) -> f64 {
    f64::from(u8::from(answered))
}

/// An amount as a gauge takes it: the number next to it.
fn dollars(amount: Usd) -> f64 {
    gauged(u64::try_from(amount.0).unwrap_or_default()) / 1e9
}
