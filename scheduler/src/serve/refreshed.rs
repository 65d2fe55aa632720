//! Refreshed: something that takes long to gather, and is gathered in the background while somebody asks
//! for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

/// How long an answer waits for what was never gathered.
const PATIENCE: Duration = Duration::from_millis(50);
/// From the end of one gathering to the next at least; and so many times what the last one took, so that
/// it never takes a tenth of a core or of the database.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSES: u32 = 10;

/// What was gathered last.
#[derive(Debug)]
pub struct Refreshed<T> {
    latest: watch::Sender<Option<Arc<T>>>,
    /// Not before this is gathered anew. Whoever gathers holds it.
    not_before: Arc<Mutex<Option<Instant>>>,
}

impl<T> Default for Refreshed<T> {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(None),
            not_before: Arc::default(),
        }
    }
}

impl<T: Send + Sync + 'static> Refreshed<T> {
    /// What was gathered last, at once; where it is not of just now, it is gathered anew for the next
    /// time. `None` as long as nothing was gathered.
    pub async fn get<F>(&self, gather: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        let mut latest = self.latest.subscribe();
        if let Ok(mut not_before) = Arc::clone(&self.not_before).try_lock_owned()
            && not_before.is_none_or(|time| time <= Instant::now())
        {
            let (latest, gathering) = (self.latest.clone(), gather());
            tokio::spawn(async move {
                let began = Instant::now();
                match gathering.await {
                    Ok(gathered) => drop(latest.send_replace(Some(Arc::new(gathered)))),
                    Err(error) => tracing::warn!("the map can't be gathered: {error:#}"),
                }
                *not_before = Some(Instant::now() + PAUSE.max(began.elapsed() * PAUSES));
            });
        }
        if latest.borrow_and_update().is_none() {
            // A small one is there in no time.
            drop(timeout(PATIENCE, latest.changed()).await);
        }
        latest.borrow().clone()
    }
}
