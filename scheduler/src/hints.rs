//! Hints for the fleet's workers: they begin at once with what they would find by themselves later.

use std::time::Duration;

use anyhow::Context;
use common::chunk::JobId;
use common::configuration::settings::Settings;
use common::queue::{Hint, NAMESPACE, RedisQueue};
use common::store::{DueChunk, Moment, Store};
use worker::reconcile::WINDOW;

/// What to do about a Redis that doesn't answer.
pub const UNREACHABLE: &str =
    "Redis can't be reached; see that it runs, and that REDIS_URL is its address";
/// How long Redis may take: what was submitted doesn't need it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the fleet's workers of a job's due chunks; how many it was told of. `None` where there is no
/// fleet, or its Redis is away: then a warning says what happens instead.
pub async fn tell_workers(
    settings: &Settings,
    store: &Store,
    job: JobId,
) -> anyhow::Result<Option<u64>> {
    if !settings.is_distributed() {
        return Ok(None);
    }
    let Some(url) = &settings.redis_url else {
        tracing::warn!(
            "REDIS_URL is not set: workers find the chunks when they next look into the database"
        );
        return Ok(None);
    };
    let due = store.due_of(job, WINDOW, Moment::Now).await?;
    let hints: Vec<Hint> = due.into_iter().map(DueChunk::hint).collect();
    let pushed = tokio::time::timeout(PATIENCE, async {
        let connection = common::redis::connect(url).await;
        let connection = connection.context(UNREACHABLE)?;
        let queue = RedisQueue::new(connection, NAMESPACE);
        let pushed = queue.push(&hints).await;
        pushed.context("the queue takes no hints")
    });
    match pushed.await.context("Redis takes too long").flatten() {
        Ok(pushed) => Ok(Some(pushed)),
        Err(error) => {
            tracing::warn!(
                "the queue in Redis was not told ({error:#}): workers find the chunks when they \
                 next look into the database"
            );
            Ok(None)
        }
    }
}
