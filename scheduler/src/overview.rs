//! Overview: how an installation stands at a moment, for whoever watches it, on the page or in the
//! terminal. Each look costs the same at a million chunks.

pub mod pace;
mod throughput;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use common::chunk::{ChunkId, JobId};
use common::money::Usd;
use common::progress::{Heard, Progress, Seen};
use common::store::StoreError;
use common::store::{Failure, JobSpending, JobStatus, MonthsSpend, SettledMinute, Store, Working};
use common::time::{Month, Nanos};
use tokio::time::timeout;

use self::pace::Pace;
use self::throughput::Throughput;

/// Jobs that are shown: those that aren't finished, and of the others the last.
const JOBS_MAX: usize = 100;
/// Chunks that run, and that failed, which are shown.
pub const CHUNKS_MAX: u32 = 100;
/// A worker that was silent for longer is none.
const HEARD_WITHIN_SECONDS: i64 = 30;
/// How long Redis may take: the rest is shown without it.
const REDIS_MAX: Duration = Duration::from_secs(1);

/// How an installation stands.
#[derive(Clone, Debug)]
pub struct Overview {
    /// When this was so, by the database's clock.
    pub at: Nanos,
    /// Jobs, the last submitted first; of those that are finished not all.
    pub jobs: Vec<JobProgress>,
    /// How many jobs there are.
    pub jobs_total: usize,
    /// The fleet's workers, by name; `None` where there is no fleet, or Redis doesn't answer.
    pub workers: Option<Vec<Heard>>,
    /// Chunks that run, those that were claimed first.
    pub running: Vec<Run>,
    /// Chunks that failed, the last first: given up, or to be tried again.
    pub failures: Vec<Failure>,
    /// What was settled in each of the last sixty minutes, oldest first; the last is not over.
    pub throughput: Vec<SettledMinute>,
    /// What was spent, and what may be.
    pub money: Money,
}

impl Overview {
    /// The fleet's workers that have no chunk, by name.
    pub fn idle(&self) -> impl Iterator<Item = &Heard> {
        let heard = self.workers.iter().flatten();
        heard.filter(|heard| {
            !self
                .running
                .iter()
                .any(|run| run.working.worker == heard.worker)
        })
    }
}

/// A job, and how fast it goes.
#[derive(Clone, Debug)]
pub struct JobProgress {
    /// How it stands.
    pub status: JobStatus,
    /// Records that are received in a second, over the last minute; `None` while none are.
    pub records_per_second: Option<u64>,
    /// Seconds until the rest is there at that pace.
    pub seconds_left: Option<u64>,
}

/// A chunk that runs.
#[derive(Clone, Debug)]
pub struct Run {
    /// By the database.
    pub working: Working,
    /// How far it is, by its worker; `None` where nobody says so.
    pub seen: Option<Seen>,
}

/// What was spent, and what may be.
#[derive(Clone, Debug)]
pub struct Money {
    /// The calendar month, in UTC.
    pub month: Month,
    /// What all jobs spent in it.
    pub spent: MonthsSpend,
    /// What they may spend in it.
    pub budget: Option<Usd>,
    /// Jobs with a limit of their own.
    pub limited: Vec<JobSpending>,
}

impl Overview {
    /// How many chunks a worker runs, of those that are shown.
    #[must_use]
    pub fn run_by(&self, worker: &str) -> usize {
        let runs = self.running.iter();
        runs.filter(|run| run.working.worker == worker).count()
    }
}

/// Looks at an installation again and again, and remembers enough to tell how fast it goes.
#[derive(Debug)]
pub struct Observer {
    job: Option<JobId>,
    budget: Option<Usd>,
    progress: Option<Progress>,
    paces: HashMap<JobId, Pace>,
    throughput: Throughput,
}

impl Observer {
    /// One that has seen nothing yet, of one job or of all; with the fleet's progress where there is a
    /// fleet.
    #[must_use]
    pub fn new(job: Option<JobId>, budget: Option<Usd>, progress: Option<Progress>) -> Self {
        Self {
            job,
            budget,
            progress,
            paces: HashMap::new(),
            throughput: Throughput::default(),
        }
    }

    /// From now on the fleet's progress is asked for too.
    pub fn ask(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// How it stands now. Where Redis doesn't answer, what it would say is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn look(&mut self, store: &Store) -> Result<Overview, StoreError> {
        let at = store.now().await?;
        let jobs = match self.job {
            Some(job) => store.job(job).await?.into_iter().collect(),
            None => store.jobs(None).await?,
        };
        let jobs_total = jobs.len();
        let jobs = self.paced(shown(jobs));
        let working = store.working(self.job, CHUNKS_MAX).await?;
        let (workers, mut seen) = self.heard(&working).await;
        let running = working.into_iter().map(|working| Run {
            seen: take_seen(&mut seen, &working),
            working,
        });
        let month = Month::of(at);
        Ok(Overview {
            at,
            jobs,
            jobs_total,
            workers,
            running: running.collect(),
            failures: store.failures(self.job, CHUNKS_MAX).await?,
            throughput: self.throughput.look(store, at).await?,
            money: Money {
                month,
                spent: store.spend_of(month).await?,
                budget: self.budget,
                limited: store.limited_jobs(self.job).await?,
            },
        })
    }

    fn paced(&mut self, jobs: Vec<JobStatus>) -> Vec<JobProgress> {
        self.paces
            .retain(|id, _| jobs.iter().any(|job| job.id == *id));
        let paced = jobs.into_iter().map(|status| {
            let pace = self.paces.entry(status.id).or_default();
            pace.note(status.records.fetched);
            let left = status
                .records
                .expected
                .saturating_sub(status.records.fetched);
            let is_open = matches!(status.state, "pending" | "running");
            JobProgress {
                records_per_second: pace.per_second().filter(|_| is_open),
                seconds_left: pace.seconds_for(left).filter(|_| is_open),
                status,
            }
        });
        paced.collect()
    }

    async fn heard(&self, working: &[Working]) -> (Option<Vec<Heard>>, HashMap<ChunkId, Seen>) {
        let Some(progress) = &self.progress else {
            return (None, HashMap::new());
        };
        let jobs: BTreeSet<_> = working.iter().map(|working| working.part.job).collect();
        let jobs: Vec<_> = jobs.into_iter().collect();
        let asked = async {
            tokio::try_join!(
                // Heartbeats are by the workers' clocks, and so is what is compared with them.
                progress.heard(Nanos::now(), HEARD_WITHIN_SECONDS),
                progress.seen(&jobs)
            )
        };
        match timeout(REDIS_MAX, asked).await {
            Ok(Ok((heard, seen))) => (Some(heard), seen),
            Ok(Err(_)) | Err(_) => (None, HashMap::new()),
        }
    }
}

/// What a chunk's worker says of this claim, and not of a former one.
fn take_seen(seen: &mut HashMap<ChunkId, Seen>, working: &Working) -> Option<Seen> {
    let seen = seen.remove(&working.part.chunk)?;
    (seen.attempt == working.epoch).then_some(seen)
}

/// The last submitted first; where there are too many, those that are finished leave first.
fn shown(mut jobs: Vec<JobStatus>) -> Vec<JobStatus> {
    jobs.reverse();
    let is_finished = |job: &JobStatus| matches!(job.state, "done" | "cancelled");
    if jobs.len() > JOBS_MAX {
        // The order of each kind stays.
        jobs.sort_by_key(is_finished);
        jobs.truncate(JOBS_MAX);
        jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    }
    jobs
}
