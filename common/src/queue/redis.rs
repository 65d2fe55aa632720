//! The queue in Redis, in the keys of apalis: we put in and clean up, apalis hands out.
//!
//! A task is always in one place: waiting, held by a worker, done or dead. All that moves one is a
//! script, so that nobody sees it in two or in none.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use apalis_redis::{Config, RedisStorage};
use redis::aio::ConnectionManager;
use redis::{RedisError, Script};
use serde_json::Value;

use super::Hint;
use crate::as_u64;
use crate::time::Nanos;

mod keys;

use keys::Keys;

/// Tasks that one call of a script deals with: Redis answers nobody else meanwhile.
const BATCH: usize = 500;
/// Payloads up to which lost tasks are looked for; more than any window of admission holds.
const STRAYS_LOOKED_THROUGH: usize = 100_000;
/// Heartbeats that a worker may miss before others take over what it holds.
const HEARTBEATS_MISSED: usize = 4;
/// Silence after which a worker is gone for good: three times what apalis lets pass, so that a pause
/// or a clock that is off forgets nobody who lives.
const GONE_AFTER_SECONDS: i64 = 60;

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/push.lua")));
static SWEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/sweep.lua")));
static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/release.lua")));
static STRAYS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/strays.lua")));

/// The queue in Redis. Clones share its connection.
#[derive(Clone, Debug)]
pub struct RedisQueue {
    connection: ConnectionManager,
    keys: Keys,
}

/// How much is in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// Hints that wait, are held by workers or were not swept yet.
    pub known: u64,
    /// Hints that wait for a worker.
    pub waiting: u64,
}

impl RedisQueue {
    /// The queue whose keys begin with `namespace`. The connection should have a response timeout
    /// like that of [`crate::redis::connect`], and is best not shared with others.
    #[must_use]
    pub fn new(connection: ConnectionManager, namespace: &str) -> Self {
        let keys = Keys::new(namespace);
        Self { connection, keys }
    }

    /// Puts hints in, except those that are known; how many were new.
    ///
    /// # Errors
    /// [`RedisError`]; some may have been put in then.
    pub async fn push(&self, hints: &[Hint]) -> Result<u64, RedisError> {
        let mut new = 0;
        for batch in hints.chunks(BATCH) {
            let mut call = PUSH.key(&self.keys.payloads);
            call.key(&self.keys.waiting).arg(&self.keys.task_prefix);
            for hint in batch {
                let payload = serde_json::to_string(hint).unwrap_or_default();
                call.arg(hint.task_id()).arg(payload);
            }
            new += call
                .invoke_async::<u64>(&mut self.connection.clone())
                .await?;
        }
        Ok(new)
    }

    /// Whether each hint is still in the queue: waits, is held by a worker, or was not swept yet.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn known(&self, hints: &[Hint]) -> Result<Vec<bool>, RedisError> {
        let mut known = Vec::with_capacity(hints.len());
        for batch in hints.chunks(BATCH) {
            let ids: Vec<String> = batch.iter().map(|hint| hint.task_id()).collect();
            let payloads: Vec<Option<Vec<u8>>> = redis::cmd("HMGET")
                .arg(&self.keys.payloads)
                .arg(ids)
                .query_async(&mut self.connection.clone())
                .await?;
            known.extend(payloads.iter().map(Option::is_some));
        }
        Ok(known)
    }

    /// How much is in it.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn len(&self) -> Result<Length, RedisError> {
        let (known, waiting) = redis::pipe()
            .hlen(&self.keys.payloads)
            .llen(&self.keys.waiting)
            .query_async(&mut self.connection.clone())
            .await?;
        Ok(Length { known, waiting })
    }

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

    /// What an apalis worker fetches from. Each setting that differs from apalis' own keeps one of
    /// its faults away.
    #[must_use]
    pub fn storage(&self, heartbeat: Duration) -> RedisStorage<Value> {
        let config = Config::default()
            .queue(&self.keys.namespace)
            // While more than one is fetched and not begun, there are no heartbeats.
            .batch_size(1)
            .heartbeat_interval(heartbeat)
            .missed_heartbeats(HEARTBEATS_MISSED)
            // A lock searches the whole list of what waits.
            .lock_tasks(false)
            .emit_events(false)
            // Without it nothing is ever acknowledged.
            .persist_results(true);
        RedisStorage::new(self.connection.clone()).with_config(config)
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
