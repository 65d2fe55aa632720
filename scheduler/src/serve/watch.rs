//! Watch: how the installation stands, for the page and `/api`. The database is asked once a second at
//! most, however many look, and once a minute while nobody does.

use std::pin::pin;
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
/// How long an answer waits for a look: then it tells what was seen last, and when that was.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// A database that doesn't answer for so long is said to be away.
const LOOK_MAX: Duration = Duration::from_secs(10);
/// A look that takes longer is given up; until then it may still come to its end.
const LOOK_GIVEN_UP: Duration = Duration::from_secs(120);

/// Between two looks that nobody asks for.
const KEEP_UP_EVERY: Duration = Duration::from_secs(60);

/// Looks when it is asked.
#[derive(Debug)]
pub struct Watch {
    database: Database,
    is_fleet: bool,
    /// Whoever holds it looks; the others wait for what is seen.
    observer: Arc<Mutex<Observer>>,
    latest: watch::Sender<Arc<Look>>,
}

/// What was seen at a moment, and how it is told.
#[derive(Debug)]
pub struct Look {
    /// `None` before the first look.
    began: Option<Instant>,
    /// When that was, by this machine's clock.
    pub at: Nanos,
    /// What was seen; nothing before the first look.
    pub seen: Option<Seen>,
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
        let is_fleet = fleet.is_some();
        Self {
            database,
            is_fleet,
            observer: Arc::new(Mutex::new(Observer::new(None, budget, fleet))),
            latest: watch::Sender::new(Arc::new(told(None, None, is_fleet))),
        }
    }

    /// How it stands now; after a second and a half, how it stood when it was seen last.
    pub async fn look(self: &Arc<Self>) -> Arc<Look> {
        let mut latest = self.latest.subscribe();
        let before = Arc::clone(&latest.borrow_and_update());
        if before.began.is_some_and(|began| began.elapsed() < STANDS) {
            return before;
        }
        // It goes on when who asked has gone away: a long look would otherwise never come to its end.
        if let Ok(observer) = Arc::clone(&self.observer).try_lock_owned() {
            let watch = Arc::clone(self);
            tokio::spawn(async move { watch.look_once(observer).await });
        }
        drop(timeout(PATIENCE, latest.changed()).await);
        Arc::clone(&latest.borrow())
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
        let Some(store) = self.database.get() else {
            return self.tell(began, Seen::NoDatabase);
        };
        let mut looking = pin!(timeout(LOOK_GIVEN_UP, observer.look(store)));
        let looked = match timeout(LOOK_MAX, &mut looking).await {
            Ok(looked) => looked,
            Err(_) => {
                tracing::warn!("the database takes long to be looked at");
                self.tell_away(began);
                looking.await
            }
        };
        let error = match looked {
            Ok(Ok(overview)) => return self.tell(began, Seen::Installation(Arc::new(overview))),
            Ok(Err(error)) => worker::error::chain(&error),
            Err(_) => "it doesn't answer".to_owned(),
        };
        tracing::warn!(error, "the database can't be looked at");
        self.tell_away(began);
    }

    fn tell_away(&self, began: Instant) {
        // What is borrowed must be given back before anything is told.
        let before = Arc::clone(&self.latest.borrow());
        self.tell(began, away(&before));
    }

    fn tell(&self, began: Instant, seen: Seen) {
        let look = told(Some(began), Some(seen), self.is_fleet);
        self.latest.send_replace(Arc::new(look));
    }
}

fn told(began: Option<Instant>, seen: Option<Seen>, is_fleet: bool) -> Look {
    Look {
        began,
        at: Nanos::now(),
        fragment: page::live(seen.as_ref(), is_fleet).into_string().into(),
        document: api::overview(seen.as_ref(), is_fleet).into(),
        seen,
    }
}

/// What is told where the database doesn't answer: what was seen before, and when that was.
fn away(before: &Look) -> Seen {
    match &before.seen {
        Some(Seen::Installation(overview)) => Seen::Away {
            since: Some(before.at),
            last: Some(Arc::clone(overview)),
        },
        Some(Seen::Away { since, last }) => Seen::Away {
            since: *since,
            last: last.clone(),
        },
        Some(Seen::NoDatabase) | None => Seen::Away {
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
