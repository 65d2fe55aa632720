//! The bell that sends one worker of a process to the queue: now and then, and when there was a hint.
//!
//! apalis asks Redis whenever its task is woken, so that waking decides how often. One bell for all
//! workers of a process keeps their number out of what an idle process costs, and makes a busy worker
//! miss nothing: a free one goes instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// Commands a second that an idle process may cause in Redis.
const COMMANDS: f64 = 48.0;
/// Commands of one look into the queue, those inside of the script counted.
const COMMANDS_OF_LOOK: f64 = 5.0;
/// Commands a second of a worker whatever the bell does: a heartbeat each five seconds, and the look
/// that comes with it.
const COMMANDS_OF_WORKER: f64 = 2.0;
/// Rings a second: at most, as more would hardly make a hint wait less, and at least.
const RINGS_MAX: f64 = 8.0;
const RINGS_MIN: f64 = 1.0;

/// The bell of a process. Clones ring the same.
#[derive(Clone, Debug)]
pub(super) struct Bell {
    rings: Arc<Semaphore>,
    workers: Arc<AtomicUsize>,
}

/// A worker's ear for the bell.
#[derive(Debug)]
pub(super) struct Ear {
    rings: PollSemaphore,
}

/// A worker that runs; ends when dropped.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Bell {
    pub fn new() -> Self {
        Self {
            rings: Arc::new(Semaphore::new(0)),
            workers: Arc::default(),
        }
    }

    /// Sends the worker to the queue that has waited longest, or else the next that listens.
    pub fn ring(&self) {
        if self.rings.available_permits() == 0 {
            self.rings.add_permits(1);
        }
    }

    /// Rings for ever, the more seldom the more workers there are.
    pub async fn ring_on(&self) {
        loop {
            tokio::time::sleep(pause(self.workers.load(Ordering::Relaxed))).await;
            self.ring();
        }
    }

    /// An ear for it.
    pub fn ear(&self) -> Ear {
        let rings = PollSemaphore::new(Arc::clone(&self.rings));
        Ear { rings }
    }

    /// Counts a worker in.
    pub fn count(&self) -> Counted {
        self.workers.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.workers))
    }
}

impl Ear {
    /// Takes what rang, and has the task woken when it rings next.
    pub fn listen(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(ring)) = self.rings.poll_acquire(context) {
            ring.forget();
        }
    }

    /// Leaves the ringing to the others.
    pub fn close(&mut self) {
        self.rings = PollSemaphore::new(self.rings.clone_inner());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The time between two rings.
fn pause(workers: usize) -> Duration {
    let workers = f64::from(u32::try_from(workers).unwrap_or(u32::MAX));
    let left = COMMANDS - COMMANDS_OF_WORKER * workers;
    let rings = (left / COMMANDS_OF_LOOK).clamp(RINGS_MIN, RINGS_MAX);
    Duration::from_secs_f64(1.0 / rings)
}
