//! Patience with a database that was lost for a while: what has to be written down is tried again.

use common::store::StoreError;
use common::time::Nanos;
use common::vendor::retry::RetryDelays;

use crate::environment::Environment;
use crate::error::chain;

/// Does something with the database, again and again while it is away, for as long as a lease lasts:
/// after that the chunk is another's.
///
/// # Errors
/// The last [`StoreError`], or the first that is an answer.
pub(crate) async fn patiently<T, F>(
    environment: &Environment,
    verb: impl Fn() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let delays = RetryDelays::by(&environment.settings);
    let began = Nanos::now();
    let mut tries = 0;
    loop {
        let error = match verb().await {
            Err(error @ StoreError::Away(_)) => error,
            answer => return answer,
        };
        let waited = Nanos::now().seconds_since(began);
        if waited >= environment.settings.lease().as_secs_f64() {
            return Err(error);
        }
        tries += 1;
        tracing::debug!(tries, error = chain(&error), "the database is asked again");
        tokio::time::sleep(delays.after(tries)).await;
    }
}
