//! What is removed from the queue: finished hints, workers that are gone, what got lost.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use redis::{RedisError, Script};

use super::{BATCH, RedisQueue};
use crate::as_u64;
use crate::time::Nanos;

/// Payloads up to which lost tasks are looked for; more than any window of admission holds.
const STRAYS_LOOKED_THROUGH: usize = 100_000;
/// Silence after which a worker is gone for good: three times what apalis lets pass, so that a pause
/// or a clock that is off forgets nobody who lives.
const GONE_AFTER_SECONDS: i64 = 60;

static SWEEP: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("../scripts/sweep.lua")));
static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("../scripts/release.lua")));
static STRAYS: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("../scripts/strays.lua")));

impl RedisQueue {
    /// Forgets all that nobody will ask for again: finished hints, workers that are gone with what
    /// they held, hints that are nowhere. How many hints it were; all can be put in again.
    ///
    /// For the reconciler, every ten seconds or so: it looks through all names of keys. Several at a
    /// time do no harm.
    ///
    /// # Errors
    /// [`RedisError`]; what was done by then stays done.
    pub async fn sweep(&self) -> Result<u64, RedisError> {
        let finished = self.sweep_finished().await?;
        let held = self.sweep_workers().await?;
        Ok(finished + held + self.sweep_strays().await?)
    }

    /// Forgets finished hints; how many.
    ///
    /// Each pool asks for it shortly after it dealt with hints. It can't be done by whoever works on
    /// a hint: apalis acknowledges only afterwards, which finds nothing when the task is gone from
    /// its worker's set, and that ends the worker.
    ///
    /// # Errors
    /// [`RedisError`]; what was done by then stays done.
    pub async fn sweep_finished(&self) -> Result<u64, RedisError> {
        let mut swept = 0;
        for finished in [&self.keys.done, &self.keys.dead] {
            loop {
                let batch = SWEEP
                    .key(finished)
                    .key(&self.keys.payloads)
                    .arg(&self.keys.task_prefix)
                    .arg(BATCH)
                    .invoke_async::<u64>(&mut self.connection.clone())
                    .await?;
                swept += batch;
                if batch < as_u64(BATCH) {
                    break;
                }
            }
        }
        Ok(swept)
    }

    /// Forgets a worker that has ended, with the hints that it holds; how many these were. Without
    /// it the name stays for a while, and others take over what it holds.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn release_worker(&self, name: &str) -> Result<u64, RedisError> {
        self.release(name, None).await
    }

    /// Forgets workers that are gone for good; how many hints they held.
    async fn sweep_workers(&self) -> Result<u64, RedisError> {
        let silent_until = Nanos::now().0 / 1_000_000_000 - GONE_AFTER_SECONDS;
        let mut held = 0;
        for name in self.names(silent_until).await? {
            held += self.release(&name, Some(silent_until)).await?;
        }
        Ok(held)
    }

    /// Names of workers that have been silent since, or of which only leavings are there.
    async fn names(&self, silent_until: i64) -> Result<BTreeSet<String>, RedisError> {
        let mut connection = self.connection.clone();
        let mut names: BTreeSet<String> = redis::cmd("ZRANGEBYSCORE")
            .arg(&self.keys.workers)
            .arg("-inf")
            .arg(silent_until)
            .query_async(&mut connection)
            .await?;
        let mut cursor = 0_u64;
        loop {
            let (next, found): (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(self.keys.of_workers_pattern())
                .arg("COUNT")
                .arg(1_000)
                .query_async(&mut connection)
                .await?;
            names.extend(found.iter().filter_map(|key| self.keys.worker_of(key)));
            cursor = next;
            if cursor == 0 {
                return Ok(names);
            }
        }
    }

    async fn release(&self, name: &str, silent_until: Option<i64>) -> Result<u64, RedisError> {
        let mut call = RELEASE.key(&self.keys.workers);
        call.key(self.keys.held_by(name))
            .key(self.keys.metadata_of(name))
            .key(&self.keys.payloads)
            .arg(name)
            .arg(&self.keys.task_prefix);
        if let Some(second) = silent_until {
            call.arg(second);
        }
        call.invoke_async(&mut self.connection.clone()).await
    }

    /// Forgets hints that are known but nowhere to be fetched from; how many.
    async fn sweep_strays(&self) -> Result<u64, RedisError> {
        STRAYS
            .key(&self.keys.payloads)
            .key(&self.keys.waiting)
            .key(&self.keys.scheduled)
            .key(&self.keys.done)
            .key(&self.keys.dead)
            .key(&self.keys.workers)
            .arg(&self.keys.task_prefix)
            .arg(&self.keys.held_prefix)
            .arg(STRAYS_LOOKED_THROUGH)
            .invoke_async(&mut self.connection.clone())
            .await
    }
}
