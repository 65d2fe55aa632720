//! The vendor's limits for one process alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::bucket::{Bucket, Slot};
use super::{Class, Connection, Limits, PerClass, Permit};

/// Buckets and connections in memory.
#[derive(Debug)]
pub(super) struct InProcess {
    limits: Limits,
    start: Instant,
    buckets: Mutex<PerClass<Bucket>>,
    /// Who waits for a class's next slot; the others stand in line behind.
    turns: PerClass<tokio::sync::Mutex<()>>,
    connections: Arc<Semaphore>,
}

impl InProcess {
    pub(super) fn new(limits: Limits) -> Self {
        let empty = |class| Bucket::empty(Duration::ZERO, limits.pace(class));
        Self {
            limits,
            start: Instant::now(),
            buckets: Mutex::new(PerClass::each(empty)),
            turns: PerClass::default(),
            connections: Arc::new(Semaphore::new(limits.connections_max)),
        }
    }

    pub(super) async fn admit(&self, class: Class) -> Permit {
        let _turn = self.turns.of(class).lock().await;
        let mut reserved = None;
        loop {
            let free = Arc::clone(&self.connections).acquire_owned().await;
            let connection = free.expect("the semaphore is never closed");
            let (now, slot) = self.take(class, reserved);
            match slot {
                Slot::Now => {
                    return Permit {
                        admitted_at: now,
                        _connection: Connection::InProcess {
                            _permit: connection,
                        },
                    };
                }
                Slot::At(due) => {
                    // A request that waits for its time keeps no other class from a connection.
                    drop(connection);
                    reserved = Some(due);
                    tokio::time::sleep_until(self.start + due).await;
                }
            }
        }
    }

    pub(super) fn hold(&self, class: Class, wait: Duration) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = self.limits.pace(class);
        buckets.of_mut(class).hold(self.start.elapsed(), wait, pace);
    }

    fn take(&self, class: Class, reserved: Option<Duration>) -> (Duration, Slot) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed();
        let pace = self.limits.pace(class);
        (now, buckets.of_mut(class).take(now, reserved, pace))
    }
}
