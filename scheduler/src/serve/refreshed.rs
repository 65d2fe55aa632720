//! Refreshed: something that takes long to gather, and is gathered in the background while somebody asks
//! for it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout};

/// How long an answer waits for what was never gathered.
const PATIENCE: Duration = Duration::from_millis(50);
/// From the end of one gathering to the next at least; and so many times what the last one took, so that
/// it never takes a tenth of a core or of the database.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSES: u32 = 10;
/// A gathering that takes longer came to nothing: others wait for their turn.
const GATHERING_MAX: Duration = Duration::from_secs(300);

/// What was gathered last.
#[derive(Debug)]
pub struct Refreshed<T> {
    latest: watch::Sender<Latest<T>>,
    /// Not before this is gathered anew. Whoever gathers holds it.
    not_before: Arc<Mutex<Option<Instant>>>,
}

/// What there is by now.
#[derive(Debug)]
pub enum Latest<T> {
    /// What was gathered last, also where it failed since then.
    There(Arc<T>),
    /// Nothing was gathered yet, and the last try failed.
    Failed,
    /// Nothing was gathered yet.
    Not,
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        match self {
            Self::There(gathered) => Self::There(Arc::clone(gathered)),
            Self::Failed => Self::Failed,
            Self::Not => Self::Not,
        }
    }
}

impl<T> Default for Refreshed<T> {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(Latest::Not),
            not_before: Arc::default(),
        }
    }
}

impl<T: Send + Sync + 'static> Refreshed<T> {
    /// What was gathered last, at once; where it is not of just now, it is gathered anew for the next
    /// time, if `begin` may begin.
    pub async fn get<F>(&self, begin: impl FnOnce() -> Option<F>) -> Latest<T>
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        let mut latest = self.latest.subscribe();
        latest.borrow_and_update();
        // Whether it begins or not, nothing of `begin` is held while it is waited below.
        match self.due() {
            Some(not_before) => self.gather(begin(), not_before),
            None => drop(begin),
        }
        if !matches!(*self.latest.borrow(), Latest::There(_)) {
            // A small one is there in no time.
            drop(timeout(PATIENCE, latest.changed()).await);
        }
        self.latest()
    }

    /// What was gathered last.
    pub fn latest(&self) -> Latest<T> {
        self.latest.borrow().clone()
    }

    /// Whether nobody gathers it, and the pause since the last time is over.
    pub fn is_due(&self) -> bool {
        self.due().is_some()
    }

    /// Whether somebody gathers it now.
    pub fn is_gathering(&self) -> bool {
        self.not_before.try_lock().is_err()
    }

    fn due(&self) -> Option<OwnedMutexGuard<Option<Instant>>> {
        let not_before = Arc::clone(&self.not_before).try_lock_owned().ok()?;
        let is_due = not_before.is_none_or(|time| time <= Instant::now());
        is_due.then_some(not_before)
    }

    fn gather<F>(&self, gathering: Option<F>, mut not_before: OwnedMutexGuard<Option<Instant>>)
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        let (Some(gathering), latest) = (gathering, self.latest.clone()) else {
            return;
        };
        tokio::spawn(async move {
            let began = Instant::now();
            let gathered = timeout(GATHERING_MAX, gathering).await;
            match gathered.unwrap_or_else(|_| Err(anyhow!("it took more than five minutes"))) {
                Ok(gathered) => drop(latest.send_replace(Latest::There(Arc::new(gathered)))),
                Err(error) => {
                    tracing::warn!("the map can't be gathered: {error:#}");
                    latest.send_modify(|latest| {
                        if !matches!(latest, Latest::There(_)) {
                            *latest = Latest::Failed;
                        }
                    });
                }
            }
            *not_before = Some(Instant::now() + PAUSE.max(began.elapsed() * PAUSES));
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_fails_is_told_until_it_is_there_and_then_stays() {
        let refreshed = Refreshed::<u8>::default();
        let told = refreshed.get(|| Some(ready(Err(anyhow!("no route to 10.0.0.7")))));
        assert!(matches!(told.await, Latest::Failed));
        *refreshed.not_before.lock().await = None;
        let told = refreshed.get(|| Some(ready(Ok(7)))).await;
        assert!(matches!(told, Latest::There(seven) if *seven == 7));
        *refreshed.not_before.lock().await = None;
        let again = refreshed.get(|| Some(ready(Err(anyhow!("away")))));
        assert!(matches!(again.await, Latest::There(_)));
    }

    #[tokio::test]
    async fn it_is_gathered_once_however_many_ask_and_only_when_it_may_begin() {
        let refreshed = Refreshed::<u8>::default();
        let none = refreshed.get(|| None::<std::future::Pending<anyhow::Result<u8>>>);
        assert!(matches!(none.await, Latest::Not));
        assert!(refreshed.is_due());
        assert!(matches!(
            refreshed.get(|| Some(pending())).await,
            Latest::Not
        ));
        assert!(refreshed.is_gathering());
        let second = || -> Option<std::future::Pending<_>> { panic!("it is gathered already") };
        assert!(matches!(refreshed.get(second).await, Latest::Not));
    }
}
