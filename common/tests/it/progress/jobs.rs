//! A job as a hash, and all jobs by when they were submitted.

use testkit::redis::Redis;

use super::ground::{
    NOW, after, field, finished, job, jobs_publisher, lines, running, with_dead, worker_publisher,
};

#[tokio::test]
async fn a_job_reads_as_a_hash() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut one = with_dead(job(1, 100), 3);
    one.chunks.empty = 2;
    one.chunks.pending -= 2;
    one.records.quarantined = 4;
    one.records.covered = 5;
    publisher.publish(&[one], NOW).await.unwrap();
    let expected = [
        ("name", "job-1"),
        ("state", "running"),
        ("chunks_total", "200"),
        ("chunks_pending", "94"),
        ("chunks_running", "1"),
        ("chunks_done", "100"),
        ("chunks_empty", "2"),
        ("chunks_dead", "3"),
        ("records_fetched", "1000"),
        ("records_loaded", "1000"),
        ("records_quarantined", "4"),
        ("records_covered", "5"),
        ("bytes", "100000"),
        ("spent_usd", "123.40"),
        ("percent", "51.0"),
        ("eta_seconds", ""),
        ("updated_at", "2023-11-14T22:13:20.000000000Z"),
    ];
    let expected: Vec<&str> = expected.into_iter().flat_map(<[&str; 2]>::from).collect();
    assert_eq!(lines(&redis, &["hgetall", "test:job:1"]), expected);
}

#[tokio::test]
async fn jobs_are_sorted_by_when_they_were_submitted() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut late = job(1, 0);
    late.created_at = after(60);
    let jobs = [late, job(9, 0), job(10, 0)];
    publisher.publish(&jobs, after(99)).await.unwrap();
    let sorted = ["zrange", "test:jobs", "0", "-1", "withscores"];
    assert_eq!(
        lines(&redis, &sorted),
        ["9", "1700000009", "10", "1700000010", "1", "1700000060"]
    );
}

#[tokio::test]
async fn what_did_not_change_is_not_written() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    publisher
        .publish(&[job(1, 5), job(2, 5)], NOW)
        .await
        .unwrap();
    let jobs = [job(1, 5), job(2, 6)];
    publisher.publish(&jobs, after(1)).await.unwrap();
    assert_eq!(
        field(&redis, "test:job:1", "updated_at"),
        "2023-11-14T22:13:20.000000000Z"
    );
    assert_eq!(
        field(&redis, "test:job:2", "updated_at"),
        "2023-11-14T22:13:21.000000000Z"
    );
    assert_eq!(field(&redis, "test:job:2", "chunks_done"), "6");
}

#[tokio::test]
async fn a_job_that_is_no_longer_there_is_removed() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut worker = worker_publisher(&redis, "w1").await;
    let jobs = [job(1, 5), with_dead(job(2, 5), 1)];
    publisher.publish(&jobs, NOW).await.unwrap();
    let dead = [(common::chunk::ChunkId(7), "it failed".to_owned())];
    publisher.publish_dead(jobs[1].id, &dead).await.unwrap();
    worker.publish(&[running(2, 8, 0)], NOW).await.unwrap();
    publisher.publish(&jobs[..1], after(1)).await.unwrap();
    assert_eq!(lines(&redis, &["keys", "test:job:*"]), ["test:job:1"]);
    assert_eq!(lines(&redis, &["zrange", "test:jobs", "0", "-1"]), ["1"]);
}

#[tokio::test]
async fn a_rebuild_removes_what_the_database_does_not_know() {
    let Some(redis) = Redis::start() else { return };
    // Of another database, and of another's prefix.
    let mut other = jobs_publisher(&redis).await;
    other.publish(&[job(3, 1), job(4, 1)], NOW).await.unwrap();
    let _ = redis.cli(&["hset", "test:job:4:dead", "1", "it failed"]);
    let _ = redis.cli(&["hset", "test:job:1", "of_another_version", "1"]);
    let _ = redis.cli(&["set", "backhaul:job:4", "a stranger's"]);
    let mut publisher = jobs_publisher(&redis).await;
    let jobs = [finished(1), job(3, 2)];
    publisher.rebuild(&jobs, after(1)).await.unwrap();
    let mut keys = lines(&redis, &["keys", "*"]);
    keys.sort();
    let expected = [
        "backhaul:job:4",
        "test:job:1",
        "test:job:3",
        "test:jobs",
        "test:publisher",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        lines(&redis, &["zrange", "test:jobs", "0", "-1"]),
        ["1", "3"]
    );
    assert_eq!(field(&redis, "test:job:1", "of_another_version"), "");
    assert_eq!(field(&redis, "test:job:3", "chunks_done"), "2");
}
