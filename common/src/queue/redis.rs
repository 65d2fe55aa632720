//! The queue in Redis, in the keys of apalis: we put in and clean up, apalis hands out.
//!
//! A task is always in one place: waiting, held by a worker, done or dead. All that moves one is a
//! script, so that nobody sees it in two or in none.

use std::sync::LazyLock;
use std::time::Duration;

use apalis_redis::{Config, RedisStorage};
use redis::aio::ConnectionManager;
use redis::{RedisError, Script};
use serde_json::Value;

use super::Hint;

mod keys;
mod sweep;

use keys::Keys;

/// Tasks that one call of a script deals with: Redis answers nobody else meanwhile.
const BATCH: usize = 500;
/// Heartbeats that a worker may miss before others take over what it holds.
const HEARTBEATS_MISSED: usize = 4;

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/push.lua")));

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
}
