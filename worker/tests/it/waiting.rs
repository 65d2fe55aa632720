//! Waiting for what nobody tells of: looking again and again, with a pause between.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::fleet::FOREVER;

/// Between two looks: whoever is looked at needs the machine too.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until something is there, and gives it; what was seen in its place is told where it never is.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + FOREVER;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "never: {what}: {seen}"),
        }
        sleep(PAUSE).await;
    }
}

/// Waits until something is so.
pub async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    wait_for(what, async || match is_so().await {
        true => Ok(()),
        false => Err("it is not so".to_owned()),
    })
    .await;
}
