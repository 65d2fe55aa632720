//! Looks at an installation once a second, apart from the screen: neither a database that hangs nor
//! a Redis that is away holds up a key.

use std::convert::Infallible;
use std::time::Duration;

use common::progress::{PREFIX, Progress};
use common::source::chain;
use common::store::Store;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::overview::{Observer, Overview};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a look may take before the database counts as away.
const LOOK_MAX: Duration = Duration::from_secs(10);
/// How long it may take to connect to Redis.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Between two attempts to connect to it.
const CONNECT_EVERY: Duration = Duration::from_secs(10);

/// Looks again and again, and tells what each look brought.
pub async fn look_on(
    store: &Store,
    mut observer: Observer,
    redis_url: Option<String>,
    news: mpsc::Sender<Result<Overview, String>>,
) -> Infallible {
    let connecting = async {
        match &redis_url {
            Some(url) => connect(url).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(connecting);
    let mut is_connected = false;
    loop {
        let began = Instant::now();
        let _nobody_listens = news.send(look_once(store, &mut observer).await).await;
        tokio::select! {
            progress = &mut connecting, if !is_connected => {
                observer.ask(progress);
                is_connected = true;
            }
            () = tokio::time::sleep_until(began + LOOK_EVERY) => {}
        }
    }
}

/// A look, or in words why there is none.
///
/// # Errors
/// When the database fails, or doesn't answer in a while.
pub async fn look_once(store: &Store, observer: &mut Observer) -> Result<Overview, String> {
    match timeout(LOOK_MAX, observer.look(store)).await {
        Ok(Ok(overview)) => Ok(overview),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err(format!(
            "the database did not answer within {} s",
            LOOK_MAX.as_secs()
        )),
    }
}

/// Tries until Redis answers; from then on the connection comes back by itself.
async fn connect(url: &str) -> Progress {
    loop {
        match timeout(CONNECT_MAX, common::redis::connect(url)).await {
            Ok(Ok(connection)) => return Progress::new(connection, PREFIX),
            Ok(Err(_)) | Err(_) => tokio::time::sleep(CONNECT_EVERY).await,
        }
    }
}
