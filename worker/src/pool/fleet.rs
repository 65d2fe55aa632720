//! All that work on the queue in Redis in one process: as many crews as there is work for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use common::queue::{Hint, RedisQueue};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::bell::Bell;
use super::crew::{self, Crew, STOP_MAX};
use crate::error::chain;

const HEARTBEAT: Duration = Duration::from_secs(5);
/// From the end of the work on a hint until finished hints are swept: apalis has acknowledged it by
/// then, and a burst is swept at once.
const SWEEP_AFTER: Duration = Duration::from_millis(250);

/// What is done with a hint.
pub type Work = Arc<dyn Fn(Hint) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// All that work on the queue in Redis in one process.
#[derive(Clone)]
pub struct Fleet {
    pub(super) queue: RedisQueue,
    pub(super) name: Arc<str>,
    slots: usize,
    pub(super) heartbeat: Duration,
    pub(super) work: Work,
    pub(super) bell: Bell,
    /// Slots in use.
    pub(super) busy: Arc<watch::Sender<usize>>,
    /// Told when a hint was dealt with.
    pub(super) dealt: Arc<Notify>,
}

impl Fleet {
    /// Up to `slots` hints are worked on at once, by workers whose names begin with `name`.
    #[must_use]
    pub fn new(queue: RedisQueue, name: &str, slots: usize, work: Work) -> Self {
        Self {
            queue,
            name: name.into(),
            slots,
            heartbeat: HEARTBEAT,
            work,
            bell: Bell::new(),
            busy: Arc::default(),
            dealt: Arc::default(),
        }
    }

    /// With another time between heartbeats: whole seconds, as apalis counts the silence of a worker
    /// in these. All processes on a queue should have the same.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Works until `ended`. Then no more hints are taken; it returns when the work at hand is done and
    /// the workers' names are released. Whoever can't wait for that drops it.
    ///
    /// Redis may be away for as long as it likes: the work at hand goes on, and hints are taken again
    /// when it is back.
    pub async fn run(self, ended: CancellationToken) {
        let mut crews = JoinSet::new();
        for first in (0..self.slots).step_by(crew::SLOTS_MAX) {
            let slots = (self.slots - first).min(crew::SLOTS_MAX);
            crews.spawn(Crew::new(self.clone(), first, slots, ended.clone()).run());
        }
        let all = async {
            while let Some(end) = crews.join_next().await {
                if let Err(error) = end {
                    tracing::error!(%error, "a crew of the pool ended by itself");
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = self.bell.ring_on() => {}
            () = self.sweep_on() => {}
        }
        // What was dealt with just before the end.
        if timeout(STOP_MAX, self.sweep()).await.is_err() {
            tracing::warn!("finished hints were not swept in time");
        }
    }

    /// Sweeps finished hints whenever there are some, so that they can be put in again and Redis
    /// does not fill up. An idle process asks for nothing.
    async fn sweep_on(&self) {
        loop {
            self.dealt.notified().await;
            tokio::time::sleep(SWEEP_AFTER).await;
            self.sweep().await;
        }
    }

    async fn sweep(&self) {
        if let Err(error) = self.queue.sweep_finished().await {
            tracing::warn!(error = chain(&error), "finished hints were not swept");
        }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("queue", &self.queue)
            .field("name", &self.name)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}
