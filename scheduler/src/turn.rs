//! Turn: one process of an installation at a time fetches settled days anew, for of two both would pay.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use common::configuration::document::Refusal;
use common::store::Store;
use tokio_util::sync::CancellationToken;

/// How often the turn is held on to; the database ends it after a few times as long without a word.
const RENEWED: Duration = Duration::from_secs(2);

/// Does the work when no other process is at such work, and keeps the others from it until it is done.
pub async fn alone<T>(
    store: &Store,
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let Some(mut turn) = store.alone("fetch settled days anew").await? else {
        let message = "another process refreshes or repairs at this time, and each would pay";
        return Err(Refusal::of("--yes", message, "try again when it has ended").into());
    };
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                // Over with the connection at the latest.
                let _ended = turn.end().await;
                return done;
            }
            () = tokio::time::sleep(RENEWED) => {
                if let Err(error) = turn.renew().await {
                    stop.cancel();
                    let _stopped = work.await;
                    return Err(error.into());
                }
            }
        }
    }
}
