//! Keeps Redis told of what this process knows: its connections, and holds.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior};

use super::scripts::Scripts;
use crate::vendor::limiter::{Class, Limits, PerClass};

/// Connections given back by one command.
const FREED_AT_ONCE: usize = 256;

/// Renews, gives back and tells again until all limiters and permits are gone.
pub(super) async fn keep(known: Arc<Known>, mut freed: mpsc::UnboundedReceiver<String>) {
    let mut renewal = tokio::time::interval(known.scripts.renewal());
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut untold = Vec::new();
    loop {
        tokio::select! {
            count = freed.recv_many(&mut untold, FREED_AT_ONCE) => {
                known.tell_freed(&mut untold).await;
                if count == 0 {
                    return;
                }
            }
            _ = renewal.tick() => {
                known.tell_freed(&mut untold).await;
                known.tell_again().await;
            }
        }
    }
}

/// What this process knows, whatever becomes of Redis.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) scripts: Scripts,
    /// Told when a connection of this process is free again in Redis.
    pub(super) freed: Notify,
    limits: Limits,
    open: Mutex<HashSet<String>>,
    held_until: Mutex<PerClass<Option<Instant>>>,
    unreachable: AtomicBool,
}

impl Known {
    pub(super) fn new(scripts: Scripts, limits: Limits) -> Self {
        Self {
            scripts,
            freed: Notify::new(),
            limits,
            open: Mutex::default(),
            held_until: Mutex::default(),
            unreachable: AtomicBool::new(false),
        }
    }

    /// From now on the connection is renewed.
    pub(super) fn open(&self, id: &str) {
        lock(&self.open).insert(id.to_owned());
    }

    /// From now on it is not.
    pub(super) fn close(&self, id: &str) {
        lock(&self.open).remove(id);
    }

    /// Notes a hold, unless there is a longer one.
    pub(super) fn hold(&self, class: Class, wait: Duration) {
        let until = Some(Instant::now() + wait);
        let mut held_until = lock(&self.held_until);
        let of_class = held_until.of_mut(class);
        *of_class = (*of_class).max(until);
    }

    /// Waits until this process's own holds of the class are over.
    pub(super) async fn wait_for_hold(&self, class: Class) {
        while let Some(until) = self.held_until(class) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Tells Redis of a hold that is not over.
    pub(super) async fn tell_hold(&self, class: Class) {
        if let Some(until) = self.held_until(class) {
            let wait = until.saturating_duration_since(Instant::now());
            self.answered(self.scripts.hold(class, &self.limits, wait).await);
        }
    }

    /// What Redis answered. An outage is logged once, and its end.
    pub(super) fn answered<T>(&self, answer: RedisResult<T>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if self.unreachable.swap(false, Ordering::Relaxed) {
                    tracing::info!("Redis answers again: requests to the vendor go on");
                }
                Some(answer)
            }
            Err(error) => {
                if !self.unreachable.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %error,
                        "Redis can't be asked for the fleet's pace: requests to the vendor wait"
                    );
                }
                None
            }
        }
    }

    /// Renews the connections and the holds; after a wipe this brings them back.
    async fn tell_again(&self) {
        for class in Class::ALL {
            self.tell_hold(class).await;
        }
        let open: Vec<String> = lock(&self.open).iter().cloned().collect();
        if !open.is_empty() {
            self.answered(self.scripts.renew(&open).await);
        }
    }

    /// Gives connections back; those that Redis can't be told of stay in the list.
    async fn tell_freed(&self, untold: &mut Vec<String>) {
        if !untold.is_empty() && self.answered(self.scripts.free(untold).await).is_some() {
            untold.clear();
            self.freed.notify_waiters();
        }
    }

    fn held_until(&self, class: Class) -> Option<Instant> {
        let until = *lock(&self.held_until).of(class);
        until.filter(|until| *until > Instant::now())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
