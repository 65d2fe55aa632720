//! A Redis that lost what was written, and publishers who take over from each other.

use common::chunk::{ChunkId, JobId};
use common::progress::{JobsPublisher, WorkerPublisher};
use testkit::redis::Redis;

use super::ground::{
    NOW, after, field, finished, job, jobs_publisher, picture, running, with_dead, worker_publisher,
};

/// Publishes the same each time, as when nothing changes in the database.
async fn publish(jobs: &mut JobsPublisher, worker: &mut WorkerPublisher, second: i64) {
    let all = [with_dead(job(1, 5), 1), finished(2)];
    jobs.publish(&all, after(second)).await.unwrap();
    for job in jobs.dead_due() {
        let dead = [(ChunkId(3), "it failed".to_owned())];
        jobs.publish_dead(job, &dead).await.unwrap();
    }
    // The same time, so that pictures can be compared.
    worker.publish(&[running(1, 4, 9)], NOW).await.unwrap();
}

#[tokio::test]
async fn after_a_wipe_all_comes_back() {
    let Some(redis) = Redis::start() else { return };
    let mut jobs = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    publish(&mut jobs, &mut worker, 0).await;
    let before = picture(&redis);
    assert_eq!(before.len(), 6, "{before:?}");
    for second in 1..4 {
        redis.flush_all();
        publish(&mut jobs, &mut worker, second).await;
        assert_eq!(picture(&redis), before);
    }
}

#[tokio::test]
async fn a_wipe_is_noticed_also_when_something_changes() {
    let Some(redis) = Redis::start() else { return };
    let mut jobs = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    jobs.publish(&[job(1, 5), job(2, 5)], NOW).await.unwrap();
    let both = [running(1, 3, 1), running(1, 4, 1)];
    worker.publish(&both, NOW).await.unwrap();
    redis.flush_all();
    jobs.publish(&[job(1, 5), job(2, 6)], after(1))
        .await
        .unwrap();
    let both = [running(1, 3, 1), running(1, 4, 2)];
    worker.publish(&both, after(1)).await.unwrap();
    assert_eq!(field(&redis, "test:job:1", "chunks_done"), "5");
    assert_ne!(field(&redis, "test:job:1:running", "3"), "");
}

#[tokio::test]
async fn a_wipe_is_noticed_after_dead_chunks_were_told() {
    let Some(redis) = Redis::start() else { return };
    let mut jobs = jobs_publisher(&redis).await;
    let all = [with_dead(job(1, 5), 1)];
    jobs.publish(&all, NOW).await.unwrap();
    redis.flush_all();
    let dead = [(ChunkId(3), "it failed".to_owned())];
    jobs.publish_dead(JobId(1), &dead).await.unwrap();
    jobs.publish(&all, after(1)).await.unwrap();
    assert_eq!(field(&redis, "test:job:1", "chunks_done"), "5");
    assert_eq!(field(&redis, "test:job:1:dead", "3"), "it failed");
}

#[tokio::test]
async fn while_redis_is_down_it_is_told_and_then_all_comes_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let mut jobs = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    publish(&mut jobs, &mut worker, 0).await;
    let before = picture(&redis);
    redis.kill();
    let all = [with_dead(job(1, 5), 1), finished(2)];
    jobs.publish(&all, after(1)).await.unwrap_err();
    let chunk = running(1, 4, 9);
    worker.publish(&[chunk], after(1)).await.unwrap_err();
    redis.restart();
    // The connection comes back by itself, in a while.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(120);
    while jobs.publish(&all, after(2)).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it doesn't come back"
        );
    }
    while worker.publish(&[running(1, 4, 9)], NOW).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it doesn't come back"
        );
    }
    publish(&mut jobs, &mut worker, 3).await;
    assert_eq!(picture(&redis), before);
}

#[tokio::test]
async fn an_older_state_is_overwritten() {
    let Some(redis) = Redis::start() else { return };
    let mut jobs = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    jobs.publish(&[job(1, 5)], NOW).await.unwrap();
    worker.publish(&[running(1, 3, 1)], NOW).await.unwrap();
    let keys = ["publisher", "job:1", "job:1:running", "workers"].map(|key| format!("test:{key}"));
    for key in &keys {
        let _ = redis.cli(&["copy", key, &format!("saved:{key}")]);
    }
    jobs.publish(&[job(1, 6)], after(1)).await.unwrap();
    worker.publish(&[running(1, 3, 2)], after(1)).await.unwrap();
    for key in &keys {
        let _ = redis.cli(&["rename", &format!("saved:{key}"), key]);
    }
    jobs.publish(&[job(1, 6)], after(2)).await.unwrap();
    worker.publish(&[running(1, 3, 2)], after(2)).await.unwrap();
    assert_eq!(field(&redis, "test:job:1", "chunks_done"), "6");
    let entry = field(&redis, "test:job:1:running", "3");
    assert!(entry.contains(r#""records":2"#), "{entry}");
}

#[tokio::test]
async fn publishers_may_take_over_from_each_other() {
    let Some(redis) = Redis::start() else { return };
    let mut first = jobs_publisher(&redis).await;
    let mut second = jobs_publisher(&redis).await;
    first.publish(&[job(1, 5)], NOW).await.unwrap();
    second.publish(&[job(1, 6)], after(1)).await.unwrap();
    // To the first it is as if nothing had changed: a replay may have opened a chunk again.
    first.publish(&[job(1, 5)], after(2)).await.unwrap();
    assert_eq!(field(&redis, "test:job:1", "chunks_done"), "5");
}
