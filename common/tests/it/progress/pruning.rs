//! Entries of workers that were killed.

use common::chunk::{ChunkId, JobId};
use testkit::redis::Redis;

use super::ground::{
    NOTHING, NOW, after, commands_since, finished, job, jobs_publisher, running, running_chunks,
    worker_publisher,
};

#[tokio::test]
async fn entries_of_killed_workers_are_removed() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut killed = worker_publisher(&redis, "killed").await;
    let mut alive = worker_publisher(&redis, "alive").await;
    killed.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    alive.publish(&[running(1, 8, 1)], NOW).await.unwrap();
    publisher.publish(&[job(1, 1)], NOW).await.unwrap();
    let by_the_database = [(JobId(1), ChunkId(8))];
    // The first time it could be that the database was read too early.
    publisher.prune_running(&by_the_database).await.unwrap();
    assert_eq!(running_chunks(&redis), ["7", "8"]);
    publisher.prune_running(&by_the_database).await.unwrap();
    assert_eq!(running_chunks(&redis), ["8"]);
}

#[tokio::test]
async fn a_chunk_that_was_claimed_after_the_database_was_read_stays() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut killed = worker_publisher(&redis, "killed").await;
    let mut other = worker_publisher(&redis, "other").await;
    publisher.publish(&[job(1, 1)], NOW).await.unwrap();
    killed.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    publisher.prune_running(&[]).await.unwrap();
    // Between the reading and the second call both chunks are claimed.
    other
        .publish(&[running(1, 7, 1), running(1, 9, 1)], after(1))
        .await
        .unwrap();
    publisher.prune_running(&[]).await.unwrap();
    assert_eq!(running_chunks(&redis), ["7", "9"]);
    let both = [(JobId(1), ChunkId(7)), (JobId(1), ChunkId(9))];
    publisher.prune_running(&both).await.unwrap();
    assert_eq!(running_chunks(&redis), ["7", "9"]);
}

#[tokio::test]
async fn what_was_left_in_finished_jobs_is_found_by_who_starts() {
    let Some(redis) = Redis::start() else { return };
    let mut killed = worker_publisher(&redis, "killed").await;
    killed.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    let mut publisher = jobs_publisher(&redis).await;
    publisher.publish(&[finished(1)], NOW).await.unwrap();
    publisher.prune_running(&[]).await.unwrap();
    publisher.prune_running(&[]).await.unwrap();
    assert_eq!(running_chunks(&redis), [NOTHING]);
    publisher.prune_running(&[]).await.unwrap();
    let before = redis.commands_processed();
    publisher.prune_running(&[]).await.unwrap();
    assert_eq!(commands_since(&redis, before), 0, "nothing can be there");
}
