//! Readiness: whether what a process needs can be reached, and whether it still takes work.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::store::Store;
use redis::aio::ConnectionManager;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout};

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long an answer stands: however many ask, the database is asked once.
const STANDS: Duration = Duration::from_secs(1);

/// What a process can't work without.
#[derive(Clone)]
pub struct Dependencies {
    /// The database, once it was opened.
    pub store: Arc<OnceCell<Arc<Store>>>,
    /// Redis, where there is one.
    pub redis: Option<ConnectionManager>,
}

impl fmt::Debug for Dependencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dependencies").finish_non_exhaustive()
    }
}

/// Whether a process is ready. Clones share it.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Asked>);

#[derive(Debug)]
struct Asked {
    dependencies: Dependencies,
    draining: AtomicBool,
    /// The last answer, and when it was given.
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Readiness {
    /// That of a process that needs these.
    #[must_use]
    pub fn of(dependencies: Dependencies) -> Self {
        Self(Arc::new(Asked {
            dependencies,
            draining: AtomicBool::new(false),
            last: Mutex::default(),
        }))
    }

    /// From now on it isn't ready.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it is ready.
    ///
    /// # Errors
    /// Why it isn't, in words that hold no address.
    pub async fn ask(&self) -> Result<(), &'static str> {
        if self.0.draining.load(Ordering::Relaxed) {
            return Err("draining: no more work is taken");
        }
        let mut last = self.0.last.lock().await;
        match *last {
            Some((at, answer)) if at.elapsed() < STANDS => answer,
            _ => {
                let answer = self.0.dependencies.ask().await;
                *last = Some((Instant::now(), answer));
                answer
            }
        }
    }
}

impl Dependencies {
    async fn ask(&self) -> Result<(), &'static str> {
        let (database, redis) = tokio::join!(self.database_answers(), self.redis_answers());
        match (database, redis) {
            (true, true) => Ok(()),
            (false, true) => Err("the database doesn't answer"),
            (true, false) => Err("Redis doesn't answer"),
            (false, false) => Err("neither the database nor Redis answers"),
        }
    }

    async fn database_answers(&self) -> bool {
        match self.store.get() {
            Some(store) => matches!(timeout(ANSWER_MAX, store.ping()).await, Ok(Ok(()))),
            None => false,
        }
    }

    async fn redis_answers(&self) -> bool {
        let Some(mut redis) = self.redis.clone() else {
            return true;
        };
        let command = redis::cmd("PING");
        let pong = command.query_async::<String>(&mut redis);
        matches!(timeout(ANSWER_MAX, pong).await, Ok(Ok(_)))
    }
}
