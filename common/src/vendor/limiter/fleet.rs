//! The vendor's limits for all processes that share a Redis.
//!
//! Within a process one request of a class at a time asks Redis, and keeps its turn until it is
//! admitted: so requests are served in order, and a process has at most one slot a class reserved.

mod keeper;
mod scripts;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::ConnectionManager;
use tokio::sync::{Mutex, mpsc};

use self::keeper::{Known, keep};
use self::scripts::{Answer, Reserved, Scripts};
use super::{Class, Limits, PerClass, Permit};
use crate::vendor::retry::RetryDelays;

/// Between two questions while Redis can't be reached: with the jitter a second at most.
const UNREACHABLE: RetryDelays = RetryDelays {
    first: Duration::from_millis(50),
    longest: Duration::from_millis(700),
};
/// Between two questions while all connections are taken.
const FULL: RetryDelays = RetryDelays {
    first: Duration::from_millis(50),
    longest: Duration::from_millis(500),
};
/// How long a hold waits until Redis knows of it; after that it is told again later.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// How a fleet shares its limits.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// What the keys start with. Default `backhaul:limits:`.
    pub prefix: String,
    /// After this, a connection of a process that was killed counts as free. It is renewed thirty
    /// times as often. Default 30 seconds; whole milliseconds. Where Redis knows nothing, requests
    /// wait for a tenth of it until those who hold connections have said so.
    pub connection_expiry: Duration,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            prefix: "backhaul:limits:".to_owned(),
            connection_expiry: Duration::from_secs(30),
        }
    }
}

/// This process's part in the fleet's limits.
#[derive(Debug)]
pub(super) struct Fleet {
    limits: Limits,
    known: Arc<Known>,
    /// Tells the keeper which connections are free again.
    freed: mpsc::UnboundedSender<String>,
    /// Who waits for a class's next slot; the others stand in line behind.
    turns: PerClass<Mutex<()>>,
    process: String,
    connections_numbered: AtomicU64,
}

impl Fleet {
    pub(super) fn start(redis: ConnectionManager, options: FleetOptions, limits: Limits) -> Self {
        let known = Arc::new(Known::new(Scripts::new(redis, options), limits));
        let (freed, freed_receiver) = mpsc::unbounded_channel();
        tokio::spawn(keep(Arc::clone(&known), freed_receiver));
        Self {
            limits,
            known,
            freed,
            turns: PerClass::default(),
            // Random: the processes of containers all have the same number.
            process: format!("{:016x}", RandomState::new().hash_one(())),
            connections_numbered: AtomicU64::new(0),
        }
    }

    pub(super) async fn admit(&self, class: Class) -> Permit {
        let _turn = self.turns.of(class).lock().await;
        let connection = self.connection(class);
        let mut reserved = Reserved::default();
        let (mut failures, mut times_full) = (0, 0);
        loop {
            self.known.wait_for_hold(class).await;
            // From here on, so that no connection is missed that comes free meanwhile.
            let freed = self.known.freed.notified();
            let asked = self
                .known
                .scripts
                .admit(class, &self.limits, &connection.id, reserved);
            match self.known.answered(asked.await) {
                Some(Answer::Admitted { at }) => {
                    self.known.open(&connection.id);
                    return Permit {
                        admitted_at: at,
                        _connection: super::Connection::Fleet {
                            _connection: connection,
                        },
                    };
                }
                Some(Answer::Later { wait, slot }) => {
                    reserved = slot;
                    tokio::time::sleep(wait).await;
                }
                Some(Answer::Full) => {
                    times_full += 1;
                    let wait = FULL.after(times_full);
                    // Over is as good as freed: either way it is asked again.
                    drop(tokio::time::timeout(wait, freed).await);
                }
                None => {
                    failures += 1;
                    tokio::time::sleep(UNREACHABLE.after(failures)).await;
                }
            }
        }
    }

    pub(super) async fn hold(&self, class: Class, wait: Duration) {
        self.known.hold(class, wait);
        // Where this fails the keeper tells it, as long as the hold lasts.
        drop(tokio::time::timeout(TOLD_WITHIN, self.known.tell_hold(class)).await);
    }

    fn connection(&self, class: Class) -> Connection {
        let number = self.connections_numbered.fetch_add(1, Ordering::Relaxed);
        Connection {
            id: format!("{}:{}:{number}", class.name(), self.process),
            known: Arc::clone(&self.known),
            freed: self.freed.clone(),
        }
    }
}

/// A connection that may be in Redis: also before it is, for the answer could be lost.
#[derive(Debug)]
pub(super) struct Connection {
    id: String,
    known: Arc<Known>,
    freed: mpsc::UnboundedSender<String>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.known.close(&self.id);
        // Without a keeper the runtime has ended, and the connection expires.
        drop(self.freed.send(std::mem::take(&mut self.id)));
    }
}
