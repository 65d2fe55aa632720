//! Watch: how the installation stands, for the page and `/api`. The database is asked once a second at
//! most, however many look, and once a minute while nobody does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::money::Usd;
use common::progress::Progress;
use common::time::Nanos;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout};

use super::database::Database;
use super::{api, page};
use crate::overview::{Observer, Overview};

/// How long a look stands.
const STANDS: Duration = Duration::from_secs(1);
/// How long an answer waits for a look: then it tells what was seen last, and that it is old.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Between two looks that nobody asks for.
const KEEP_UP_EVERY: Duration = Duration::from_secs(60);

/// Looks when it is asked.
#[derive(Debug)]
pub struct Watch {
    database: Database,
    is_fleet: bool,
    /// Whoever holds it looks; the others wait for what is seen.
    observer: Arc<Mutex<Observer>>,
    latest: watch::Sender<Option<Arc<Look>>>,
}

/// What was seen at a moment, and how it is told.
#[derive(Debug)]
pub struct Look {
    began: Instant,
    /// When that was, by this machine's clock.
    pub at: Nanos,
    /// What was seen.
    pub seen: Seen,
    /// The page's changing part.
    pub fragment: Bytes,
    /// The same as JSON.
    pub document: Bytes,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// How the installation stands.
    Installation(Arc<Overview>),
    /// There is no database: nobody submitted a job yet.
    NoDatabase,
    /// The database doesn't answer; how it stood before, where that is known.
    Away {
        /// When it answered last, by this machine's clock.
        since: Option<Nanos>,
        /// What was seen then.
        last: Option<Arc<Overview>>,
    },
}

impl Watch {
    /// One that hasn't looked yet.
    #[must_use]
    pub fn new(database: Database, budget: Option<Usd>, fleet: Option<Progress>) -> Self {
        Self {
            database,
            is_fleet: fleet.is_some(),
            observer: Arc::new(Mutex::new(Observer::new(None, budget, fleet))),
            latest: watch::Sender::new(None),
        }
    }

    /// How it stands now, within a second and a half.
    pub async fn look(self: &Arc<Self>) -> Arc<Look> {
        let mut latest = self.latest.subscribe();
        let before = latest.borrow_and_update().clone();
        if let Some(look) = &before
            && look.began.elapsed() < STANDS
        {
            return Arc::clone(look);
        }
        // It goes on when who asked has gone away: a long look would otherwise never come to its end.
        if let Ok(observer) = Arc::clone(&self.observer).try_lock_owned() {
            let watch = Arc::clone(self);
            tokio::spawn(async move { watch.look_once(observer).await });
        }
        let changed = timeout(PATIENCE, latest.changed()).await;
        let now = latest.borrow().clone();
        match now {
            Some(look) if changed.is_ok() => look,
            _ => Arc::new(self.told(Instant::now(), away(before.as_deref()))),
        }
    }

    /// Looks now and then also while nobody asks, so that whoever comes after an hour doesn't wait until
    /// all that was settled meanwhile is read.
    pub async fn keep_up(self: Arc<Self>) {
        loop {
            self.look().await;
            tokio::time::sleep(KEEP_UP_EVERY).await;
        }
    }

    async fn look_once(&self, mut observer: OwnedMutexGuard<Observer>) {
        let began = Instant::now();
        let seen = match self.database.get() {
            None => Seen::NoDatabase,
            Some(store) => match observer.look(store).await {
                Ok(overview) => Seen::Installation(Arc::new(overview)),
                Err(error) => {
                    let error = worker::error::chain(&error);
                    tracing::warn!(error, "the database can't be looked at");
                    away(self.latest.borrow().as_deref())
                }
            },
        };
        let look = self.told(began, seen);
        self.latest.send_replace(Some(Arc::new(look)));
    }

    fn told(&self, began: Instant, seen: Seen) -> Look {
        Look {
            began,
            at: Nanos::now(),
            fragment: page::live(&seen, self.is_fleet).into_string().into(),
            document: api::overview(&seen, self.is_fleet).into(),
            seen,
        }
    }
}

/// What is told where the database doesn't answer: what was seen before, and when that was.
fn away(before: Option<&Look>) -> Seen {
    match before.map(|look| (&look.seen, look.at)) {
        Some((Seen::Installation(overview), at)) => Seen::Away {
            since: Some(at),
            last: Some(Arc::clone(overview)),
        },
        Some((Seen::Away { since, last }, _)) => Seen::Away {
            since: *since,
            last: last.clone(),
        },
        Some((Seen::NoDatabase, _)) | None => Seen::Away {
            since: None,
            last: None,
        },
    }
}

impl Seen {
    /// The last that is known of the installation.
    #[must_use]
    pub fn overview(&self) -> Option<&Overview> {
        match self {
            Self::Installation(overview) => Some(overview),
            Self::Away { last, .. } => last.as_deref(),
            Self::NoDatabase => None,
        }
    }
}
