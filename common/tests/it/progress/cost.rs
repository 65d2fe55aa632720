//! What it costs: commands where nothing changes, and keys where very much is done.

use testkit::redis::Redis;

use super::ground::{
    NOW, after, commands_since, finished, job, jobs_publisher, lines, running, worker_publisher,
};

#[tokio::test]
async fn an_idle_process_asks_two_commands_a_second_at_most() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    let jobs: Vec<_> = (1..=50).map(finished).collect();
    let mut before = 0;
    for second in 0..=60 {
        publisher.publish(&jobs, after(second)).await.unwrap();
        publisher.prune_running(&[]).await.unwrap();
        worker.publish(&[], after(second)).await.unwrap();
        if second == 0 {
            before = redis.commands_processed();
        }
    }
    let commands = commands_since(&redis, before);
    assert!(commands <= 120, "{commands} in a minute");
}

#[tokio::test]
async fn finished_chunks_leave_no_keys() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    let mut status = job(1, 0);
    status.chunks.total = 10_000;
    for done in (0..=10_000).step_by(100) {
        status.chunks.done = done;
        status.chunks.pending = 10_000 - done;
        let now = after(i64::try_from(done / 100).unwrap());
        publisher
            .publish(std::slice::from_ref(&status), now)
            .await
            .unwrap();
        let first = i64::try_from(done).unwrap();
        let chunks: Vec<_> = (first..first + 100).map(|id| running(1, id, 1)).collect();
        worker.publish(&chunks, now).await.unwrap();
    }
    assert_eq!(lines(&redis, &["hlen", "test:job:1:running"]), ["100"]);
    worker.publish(&[], after(200)).await.unwrap();
    let mut keys = lines(&redis, &["keys", "*"]);
    keys.sort();
    assert_eq!(
        keys,
        ["test:job:1", "test:jobs", "test:publisher", "test:workers"]
    );
    assert_eq!(lines(&redis, &["hlen", "test:job:1"]), ["17"]);
}

#[tokio::test]
async fn a_publish_is_one_transaction_whatever_changed() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let jobs: Vec<_> = (1..=50).map(|id| job(id, 0)).collect();
    publisher.publish(&jobs, NOW).await.unwrap();
    let jobs: Vec<_> = (1..=50).map(|id| job(id, u64::from(id == 7))).collect();
    let before = redis.commands_processed();
    publisher.publish(&jobs, after(1)).await.unwrap();
    assert_eq!(
        commands_since(&redis, before),
        5,
        "MULTI, GET, SET, HSET, EXEC"
    );
}
