//! The jobs' hashes and dead chunks: what changed since they were last published.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

use redis::{Cmd, Pipeline, RedisError, cmd};

use super::Progress;
use super::eta::Eta;
use super::fields::{Fields, fields};
use super::prune::Suspects;
use crate::chunk::{ChunkId, JobId};
use crate::store::JobStatus;
use crate::time::Nanos;

/// Dead chunks told of a job.
pub const DEAD_MAX: usize = 1_000;

/// Publishes jobs. One for a database is best; if there are more, each writes everything whenever
/// another has written.
#[derive(Debug)]
pub struct JobsPublisher {
    pub(super) progress: Progress,
    id: u64,
    times_written: u64,
    /// What the key `publisher` holds if all is as it was left; `None` when all is to be written.
    mark: Option<String>,
    written: BTreeMap<JobId, Fields>,
    etas: BTreeMap<JobId, Eta>,
    dead_due: BTreeSet<JobId>,
    pub(super) suspects: Suspects,
}

/// What is to be written, and what follows from it.
#[derive(Default)]
struct Changes {
    commands: Vec<Cmd>,
    dead_due: BTreeSet<JobId>,
    may_run: BTreeSet<JobId>,
}

impl JobsPublisher {
    /// One that knows nothing yet, and so writes all the first time.
    #[must_use]
    pub fn new(progress: Progress) -> Self {
        Self {
            progress,
            // Random: the processes of containers all have the same number.
            id: RandomState::new().hash_one(()),
            times_written: 0,
            mark: None,
            written: BTreeMap::new(),
            etas: BTreeMap::new(),
            dead_due: BTreeSet::new(),
            suspects: Suspects::default(),
        }
    }

    /// Publishes all jobs of the database: those that changed, or all if Redis lost them. What it
    /// published before and isn't among them is removed.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses. The next time all is written.
    pub async fn publish(&mut self, jobs: &[JobStatus], now: Nanos) -> Result<(), RedisError> {
        let all = self.all_fields(jobs, now);
        if !self.publish_changes(jobs, &all, now).await? {
            // What was remembered is not there any more.
            self.forget();
            self.publish_changes(jobs, &all, now).await?;
        }
        self.written = all;
        Ok(())
    }

    /// Jobs whose dead chunks are to be told by [`Self::publish_dead`]: their number has changed, or
    /// Redis lost them.
    #[must_use]
    pub fn dead_due(&self) -> Vec<JobId> {
        self.dead_due.iter().copied().collect()
    }

    /// Publishes these as the dead chunks of a job, with their errors; of more than [`DEAD_MAX`] the
    /// first.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses. The job is then still due.
    pub async fn publish_dead(
        &mut self,
        job: JobId,
        dead: &[(ChunkId, String)],
    ) -> Result<(), RedisError> {
        let key = self.progress.dead_key(job);
        let mut commands = vec![Cmd::del(&key)];
        let told: Vec<(i64, &str)> = dead
            .iter()
            .take(DEAD_MAX)
            .map(|(chunk, error)| (chunk.0, error.as_str()))
            .collect();
        if !told.is_empty() {
            commands.push(cmd("HSET").arg(&key).arg(&told).take());
        }
        // Where Redis was wiped, the next `publish` finds no mark, and this job is due again.
        self.write(commands, false).await?;
        self.dead_due.remove(&job);
        Ok(())
    }

    /// Forgets what was written: the next [`Self::publish`] writes all.
    pub fn forget(&mut self) {
        self.mark = None;
    }

    /// Publishes all jobs anew, and removes the keys of those that the database doesn't have.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses.
    pub async fn rebuild(&mut self, jobs: &[JobStatus], now: Nanos) -> Result<(), RedisError> {
        self.forget();
        let ids = jobs.iter().map(|job| job.id).collect();
        let strangers = self.progress.keys_of_other_jobs(&ids).await?;
        if !strangers.is_empty() {
            let mut removal = Pipeline::new();
            removal.del(&strangers).ignore();
            self.progress.send::<()>(&removal).await?;
        }
        self.publish(jobs, now).await
    }

    fn all_fields(&mut self, jobs: &[JobStatus], now: Nanos) -> BTreeMap<JobId, Fields> {
        let mut before = std::mem::take(&mut self.etas);
        let mut all = BTreeMap::new();
        for job in jobs {
            let mut eta = before.remove(&job.id).unwrap_or_default();
            let seconds = eta.seconds(job, now);
            if !eta.is_empty() {
                self.etas.insert(job.id, eta);
            }
            all.insert(job.id, fields(job, seconds));
        }
        all
    }

    /// Whether all that is remembered was still there.
    async fn publish_changes(
        &mut self,
        jobs: &[JobStatus],
        all: &BTreeMap<JobId, Fields>,
        now: Nanos,
    ) -> Result<bool, RedisError> {
        let whole = self.mark.is_none();
        if whole {
            self.written.clear();
        }
        let changes = self.changes(jobs, all, now);
        let there = if !whole && changes.commands.is_empty() {
            self.is_as_left().await?
        } else {
            self.write(changes.commands, whole).await?
        };
        self.dead_due.retain(|job| all.contains_key(job));
        self.dead_due.extend(changes.dead_due);
        self.suspects.may_run(changes.may_run);
        Ok(there)
    }

    fn changes(&self, jobs: &[JobStatus], all: &BTreeMap<JobId, Fields>, now: Nanos) -> Changes {
        let whole = self.mark.is_none();
        let mut changes = Changes::default();
        let submitted = self.progress.key("jobs");
        if whole {
            changes.commands.push(Cmd::del(&submitted));
        }
        for job in jobs {
            let (before, after) = (self.written.get(&job.id), &all[&job.id]);
            if whole || job.chunks.running > 0 {
                changes.may_run.insert(job.id);
            }
            if before != Some(after) {
                self.change(&mut changes, job, after, now);
            }
            if before.is_none() {
                let seconds = job.created_at.seconds_since(Nanos(0));
                let added = Cmd::zadd(&submitted, job.id.0, seconds);
                changes.commands.push(added);
            }
        }
        for gone in self.written.keys().filter(|job| !all.contains_key(job)) {
            let keys = [
                self.progress.job_key(*gone),
                self.progress.running_key(*gone),
                self.progress.dead_key(*gone),
            ];
            changes.commands.push(Cmd::del(&keys));
            changes.commands.push(Cmd::zrem(&submitted, gone.0));
        }
        changes
    }

    fn change(&self, changes: &mut Changes, job: &JobStatus, after: &Fields, now: Nanos) {
        let key = self.progress.job_key(job.id);
        let before = self.written.get(&job.id);
        if before.is_none() {
            // It may hold fields of another version, or be no hash at all.
            changes.commands.push(Cmd::del(&key));
        }
        let hash = cmd("HSET")
            .arg(&key)
            .arg(&after.values)
            .arg("updated_at")
            .arg(now.to_string())
            .take();
        changes.commands.push(hash);
        if before.is_some_and(|before| before.dead == after.dead) {
            return;
        }
        if after.dead == 0 {
            let dead = self.progress.dead_key(job.id);
            changes.commands.push(Cmd::del(dead));
        } else {
            changes.dead_due.insert(job.id);
        }
    }

    async fn is_as_left(&self) -> Result<bool, RedisError> {
        let mut question = Pipeline::new();
        question.get(self.progress.key("publisher"));
        let (mark,): (Option<String>,) = self.progress.send(&question).await?;
        Ok(mark == self.mark)
    }

    /// Writes in one transaction, and leaves a new mark. Whether all that is remembered was still
    /// there, or doesn't matter, for this is the whole.
    async fn write(&mut self, commands: Vec<Cmd>, whole: bool) -> Result<bool, RedisError> {
        // Until it is known that it was done, nothing is.
        let left = self.mark.take();
        self.times_written += 1;
        let mark = format!("{:016x}:{}", self.id, self.times_written);
        let key = self.progress.key("publisher");
        let mut transaction = Pipeline::new();
        transaction.atomic().get(&key).set(&key, &mark).ignore();
        for command in commands {
            transaction.add_command(command).ignore();
        }
        let (found,): (Option<String>,) = self.progress.send(&transaction).await?;
        let there = whole || (left.is_some() && found == left);
        if there {
            self.mark = Some(mark);
        }
        Ok(there)
    }
}
