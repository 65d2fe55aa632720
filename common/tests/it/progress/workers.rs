//! Workers' heartbeats, and the chunks that they run.

use testkit::redis::Redis;

use super::ground::{NOTHING, NOW, after, field, lines, running, running_chunks, worker_publisher};

const WORKERS: [&str; 5] = ["zrange", "test:workers", "0", "-1", "withscores"];

#[tokio::test]
async fn a_running_chunk_reads_as_json() {
    let Some(redis) = Redis::start() else { return };
    let mut worker = worker_publisher(&redis, "w1").await;
    let chunk = running(1, 7, 42);
    worker
        .publish(std::slice::from_ref(&chunk), NOW)
        .await
        .unwrap();
    let text = field(&redis, "test:job:1:running", "7");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "worker": "w1",
        "attempt": 1,
        "stage": "fetch",
        "records": 42,
        "since": "2023-11-14T22:13:20.000000000Z",
    });
    assert_eq!(read, expected);
}

#[tokio::test]
async fn chunks_come_change_and_go() {
    let Some(redis) = Redis::start() else { return };
    let mut worker = worker_publisher(&redis, "w1").await;
    let now = [running(1, 7, 1), running(1, 8, 1), running(2, 9, 1)];
    worker.publish(&now, NOW).await.unwrap();
    let now = [running(1, 8, 1), running(2, 9, 500)];
    worker.publish(&now, after(1)).await.unwrap();
    assert_eq!(running_chunks(&redis), ["8"]);
    assert!(field(&redis, "test:job:2:running", "9").contains("500"));
    worker.publish(&[], after(2)).await.unwrap();
    assert_eq!(lines(&redis, &["keys", "test:job:*"]), [NOTHING]);
}

#[tokio::test]
async fn what_another_claimed_anew_stays_when_the_first_ends() {
    let Some(redis) = Redis::start() else { return };
    let mut first = worker_publisher(&redis, "w1").await;
    let mut second = worker_publisher(&redis, "w2").await;
    first.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    second
        .publish(&[running(1, 7, 0)], after(40))
        .await
        .unwrap();
    first.publish(&[], after(41)).await.unwrap();
    assert!(field(&redis, "test:job:1:running", "7").contains("w2"));
}

#[tokio::test]
async fn silent_workers_are_no_longer_listed() {
    let Some(redis) = Redis::start() else { return };
    let mut first = worker_publisher(&redis, "w1").await;
    let mut second = worker_publisher(&redis, "w2").await;
    first.publish(&[], NOW).await.unwrap();
    second.publish(&[], after(299)).await.unwrap();
    assert_eq!(
        lines(&redis, &WORKERS),
        ["w1", "1700000000", "w2", "1700000299"]
    );
    second.publish(&[], after(304)).await.unwrap();
    assert_eq!(lines(&redis, &WORKERS), ["w2", "1700000304"]);
    // It was only busy.
    first.publish(&[], after(305)).await.unwrap();
    assert_eq!(
        lines(&redis, &WORKERS),
        ["w2", "1700000304", "w1", "1700000305"]
    );
}

#[tokio::test]
async fn a_worker_that_leaves_takes_its_entries_along() {
    let Some(redis) = Redis::start() else { return };
    let mut first = worker_publisher(&redis, "w1").await;
    let mut second = worker_publisher(&redis, "w2").await;
    first.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    second.publish(&[running(1, 8, 1)], NOW).await.unwrap();
    first.leave().await.unwrap();
    assert_eq!(lines(&redis, &WORKERS), ["w2", "1700000000"]);
    assert_eq!(running_chunks(&redis), ["8"]);
}

#[tokio::test]
async fn what_nobody_keeps_up_expires() {
    let Some(redis) = Redis::start() else { return };
    let mut worker = worker_publisher(&redis, "w1").await;
    let expiry = || lines(&redis, &["ttl", "test:job:1:running"])[0].parse::<i64>();
    worker.publish(&[running(1, 7, 1)], NOW).await.unwrap();
    assert!((1..=300).contains(&expiry().unwrap()));
    let _ = redis.cli(&["persist", "test:job:1:running"]);
    worker.publish(&[running(1, 7, 1)], after(1)).await.unwrap();
    assert!((1..=300).contains(&expiry().unwrap()));
}
