//! What was settled in each of the last minutes. The first look asks for an hour; later ones for the
//! minutes that may still have changed.

use common::store::{SettledMinute, Store, StoreError};
use common::time::{MINUTE, Nanos};

/// Minutes that are told.
const MINUTES: i64 = 60;

/// What is known of the minutes so far.
#[derive(Debug, Default)]
pub(super) struct Throughput {
    /// Minutes in which something was settled, in order.
    known: Vec<SettledMinute>,
    /// The minute of the last look.
    looked_in: Option<i64>,
}

impl Throughput {
    /// The last sixty minutes, oldest first, those included in which nothing was settled.
    pub(super) async fn look(
        &mut self,
        store: &Store,
        now: Nanos,
    ) -> Result<Vec<SettledMinute>, StoreError> {
        let current = now.0.div_euclid(MINUTE);
        let first = current - MINUTES + 1;
        // What was settled just before a minute's end may have been committed after it.
        let from = self.looked_in.map_or(first, |last| first.max(last - 1));
        self.known
            .retain(|known| (first..from).contains(&known.minute));
        self.known.extend(store.settled_since(from).await?);
        self.looked_in = Some(current);
        let told = (first..=current).map(|minute| {
            let known = self.known.iter().find(|known| known.minute == minute);
            known.copied().unwrap_or(SettledMinute {
                minute,
                ..SettledMinute::default()
            })
        });
        Ok(told.collect())
    }
}
