//! Overview: how an installation stands at a moment, for whoever watches it, on the page or in the
//! terminal. Each look costs the same at a million chunks.

mod throughput;
mod totals;
pub mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use common::chunk::{ChunkId, JobId};
use common::money::Usd;
use common::progress::{Eta, HEARD_WITHIN_SECONDS, Heard, Pace, Progress, Seen};
use common::store::StoreError;
use common::store::{Failure, JobSpending, JobStatus, MonthsSpend, SettledMinute, Store, Working};
use common::time::{Month, Nanos};
use tokio::time::timeout;

use self::throughput::Throughput;
pub use self::totals::Totals;

/// Jobs that are shown: those that aren't finished, and of the others the last.
const JOBS_MAX: usize = 100;
/// Chunks that run, and that failed, which are shown.
pub const CHUNKS_MAX: u32 = 100;
/// For so long, in seconds, due work may wait where nobody works: a worker comes that soon, where they
/// are started for it.
const WAITS_MAX_SECONDS: f64 = 120.0;
/// How long Redis may take: the rest is shown without it.
const REDIS_MAX: Duration = Duration::from_secs(1);

/// How an installation stands.
#[derive(Clone, Debug)]
pub struct Overview {
    /// When this was so, by the database's clock.
    pub at: Nanos,
    /// Jobs, the last submitted first; of many not all.
    pub jobs: Vec<JobProgress>,
    /// What all jobs come to.
    pub totals: Totals,
    /// The fleet's workers, by name; `None` where there is no fleet, or Redis doesn't answer.
    pub workers: Option<Vec<Heard>>,
    /// Chunks that run, those that were claimed first; of many not all.
    pub running: Vec<Run>,
    /// How many chunks each worker runs, of all jobs.
    pub runs_by_worker: BTreeMap<String, u64>,
    /// Whether chunks have been due for minutes and nobody works.
    pub is_left_alone: bool,
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
        heard.filter(|heard| !self.runs_by_worker.contains_key(&heard.worker))
    }

    /// How many chunks a worker runs.
    #[must_use]
    pub fn run_by(&self, worker: &str) -> u64 {
        self.runs_by_worker.get(worker).copied().unwrap_or(0)
    }
}

/// A job, and how fast it goes.
#[derive(Clone, Debug)]
pub struct JobProgress {
    /// How it stands.
    pub status: JobStatus,
    /// Records that are received in a second, of late; `None` while none are.
    pub records_per_second: Option<u64>,
    /// Seconds until its last chunk is finished, at the pace of late.
    pub seconds_left: Option<u64>,
    /// What it may spend, where it has a limit and is shown.
    pub limit: Option<Usd>,
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
    /// Jobs with a limit of their own, of those that are shown and not finished.
    pub limited: Vec<JobSpending>,
}

/// Looks at an installation again and again, and remembers enough to tell how fast it goes.
#[derive(Debug)]
pub struct Observer {
    job: Option<JobId>,
    budget: Option<Usd>,
    progress: Option<Progress>,
    paces: HashMap<JobId, (Pace, Eta)>,
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
        let all = self.paced(jobs, at);
        let totals = Totals::of(&all);
        let jobs = limited(store, shown(all)).await?;
        let working = store.working(self.job, CHUNKS_MAX).await?;
        let (workers, mut seen) = self.heard(&working).await;
        let nobody_works = workers.as_ref().map_or(working.is_empty(), Vec::is_empty);
        let running = working.into_iter().map(|working| Run {
            seen: take_seen(&mut seen, &working),
            working,
        });
        let month = Month::of(at);
        Ok(Overview {
            at,
            workers,
            running: running.collect(),
            runs_by_worker: store.runs_by_worker().await?,
            is_left_alone: nobody_works && waits(store, &jobs, at).await?,
            failures: store.failures(self.job, CHUNKS_MAX).await?,
            throughput: self.throughput.look(store, at).await?,
            money: Money {
                month,
                spent: store.spend_of(month).await?,
                budget: self.budget,
                limited: jobs.iter().filter_map(spending).collect(),
            },
            jobs,
            totals,
        })
    }

    /// How fast each job goes.
    fn paced(&mut self, jobs: Vec<JobStatus>, at: Nanos) -> Vec<JobProgress> {
        let open: BTreeSet<_> = jobs
            .iter()
            .filter(|job| job.is_open())
            .map(|job| job.id)
            .collect();
        self.paces.retain(|id, _| open.contains(id));
        let paced = jobs.into_iter().map(|status| {
            let mut progress = JobProgress {
                records_per_second: None,
                seconds_left: None,
                limit: None,
                status,
            };
            if open.contains(&progress.status.id) {
                let status = &progress.status;
                let (records, eta) = self.paces.entry(status.id).or_default();
                records.note(at, status.records.fetched);
                progress.records_per_second = records.per_second();
                progress.seconds_left = eta.seconds(status, at);
            }
            progress
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

/// Jobs with their limits.
async fn limited(
    store: &Store,
    mut jobs: Vec<JobProgress>,
) -> Result<Vec<JobProgress>, StoreError> {
    let ids: Vec<_> = jobs.iter().map(|job| job.status.id).collect();
    let limits = store.limits_of(&ids).await?;
    for job in &mut jobs {
        job.limit = limits.get(&job.status.id).copied();
    }
    Ok(jobs)
}

/// What a job that isn't finished spent of its limit.
fn spending(job: &JobProgress) -> Option<JobSpending> {
    let status = &job.status;
    let limit = job.limit.filter(|_| !status.is_finished())?;
    Some(JobSpending {
        job: status.id,
        name: status.name.clone(),
        committed: status.spent_usd,
        limit,
    })
}

/// Whether a chunk of one of these jobs has been due for minutes.
async fn waits(store: &Store, jobs: &[JobProgress], at: Nanos) -> Result<bool, StoreError> {
    for job in jobs.iter().filter(|job| job.status.is_open()) {
        let since = store.due_since(job.status.id, at).await?;
        if since.is_some_and(|since| at.seconds_since(since) > WAITS_MAX_SECONDS) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The last submitted first; where there are too many, those that are finished leave first.
fn shown(mut jobs: Vec<JobProgress>) -> Vec<JobProgress> {
    jobs.reverse();
    if jobs.len() > JOBS_MAX {
        // The order of each kind stays.
        jobs.sort_by_key(|job| job.status.is_finished());
        jobs.truncate(JOBS_MAX);
        jobs.sort_by_key(|job| std::cmp::Reverse(job.status.id));
    }
    jobs
}
