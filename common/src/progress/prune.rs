//! What is left of others: running chunks of killed workers, and jobs of another database.

use std::collections::{BTreeMap, BTreeSet};

use redis::{Pipeline, RedisError, cmd};

use super::Progress;
use super::jobs::JobsPublisher;
use super::running::delete_same;
use crate::chunk::{ChunkId, JobId};

/// Keys asked for at once.
const SCAN_COUNT: u32 = 1_000;

/// Entries that the database didn't know as running when they were last looked at.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Jobs that may have entries.
    jobs: BTreeSet<JobId>,
    entries: BTreeMap<(JobId, String), String>,
}

impl Suspects {
    pub(super) fn may_run(&mut self, jobs: BTreeSet<JobId>) {
        self.jobs.extend(jobs);
    }
}

impl JobsPublisher {
    /// Removes entries of chunks that no longer run: those of workers that were killed. `running` is all
    /// that runs by the database, read after the last call. It costs a command for each job that runs,
    /// and none where nothing does.
    ///
    /// A chunk that was claimed after the database was read is not in `running`, though its entry may
    /// be there. So an entry is removed only when it was there, the same, at the last call too: its
    /// claim is older than what was read.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses.
    pub async fn prune_running(&mut self, running: &[(JobId, ChunkId)]) -> Result<(), RedisError> {
        let mut runs: BTreeMap<JobId, BTreeSet<String>> = BTreeMap::new();
        for (job, chunk) in running {
            runs.entry(*job).or_default().insert(chunk.to_string());
        }
        self.suspects.jobs.extend(runs.keys());
        let mut suspects = BTreeMap::new();
        let mut removal = Pipeline::new();
        for (job, entries) in self.running_entries().await? {
            if entries.is_empty() && !runs.contains_key(&job) {
                self.suspects.jobs.remove(&job);
            }
            for (chunk, entry) in entries {
                if runs.get(&job).is_some_and(|runs| runs.contains(&chunk)) {
                    continue;
                }
                let id = (job, chunk);
                if self.suspects.entries.get(&id) == Some(&entry) {
                    let key = self.progress.running_key(job);
                    removal.add_command(delete_same(&key, &id.1, &entry));
                }
                suspects.insert(id, entry);
            }
        }
        self.suspects.entries = suspects;
        if !removal.is_empty() {
            self.progress.send::<Vec<u64>>(&removal).await?;
        }
        Ok(())
    }

    async fn running_entries(&self) -> Result<Vec<(JobId, BTreeMap<String, String>)>, RedisError> {
        let jobs = &self.suspects.jobs;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut question = Pipeline::with_capacity(jobs.len());
        for job in jobs {
            question.hgetall(self.progress.running_key(*job));
        }
        let hashes: Vec<BTreeMap<String, String>> = self.progress.send(&question).await?;
        Ok(jobs.iter().copied().zip(hashes).collect())
    }
}

impl Progress {
    /// The keys of jobs that are none of these.
    pub(super) async fn keys_of_other_jobs(
        &self,
        jobs: &BTreeSet<JobId>,
    ) -> Result<Vec<String>, RedisError> {
        let start = self.key("job:");
        let pattern = format!("{}*", literally(&start));
        let mut others = Vec::new();
        let mut cursor = 0;
        loop {
            let mut question = Pipeline::new();
            let scan = cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(SCAN_COUNT)
                .take();
            question.add_command(scan);
            let ((next, keys),): ((u64, Vec<String>),) = self.send(&question).await?;
            others.extend(keys.into_iter().filter(|key| {
                let id = key[start.len()..].split(':').next().unwrap_or_default();
                id.parse().is_ok_and(|id| !jobs.contains(&JobId(id)))
            }));
            if next == 0 {
                return Ok(others);
            }
            cursor = next;
        }
    }
}

/// A text as a pattern of Redis' that matches it alone.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
