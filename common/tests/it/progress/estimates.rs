//! How far a job is, and how long it will take still.

use common::progress::JobsPublisher;
use common::store::JobStatus;
use testkit::redis::Redis;

use super::ground::{after, field, finished, job, jobs_publisher};

async fn published(
    redis: &Redis,
    publisher: &mut JobsPublisher,
    job: JobStatus,
    seconds: i64,
) -> (String, String) {
    publisher.publish(&[job], after(seconds)).await.unwrap();
    let read = |name| field(redis, "test:job:1", name);
    (read("percent"), read("eta_seconds"))
}

#[tokio::test]
async fn the_time_left_follows_the_rate_of_the_last_minute() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let mut seen = Vec::new();
    // A chunk a second, then one each ten seconds.
    for second in (0..20).chain((20..=140).step_by(10)) {
        let done = if second < 20 {
            second
        } else {
            18 + second / 10
        };
        let job = job(1, u64::try_from(done).unwrap());
        seen.push(published(&redis, &mut publisher, job, second).await.1);
    }
    assert_eq!(seen[0], "", "nobody knows yet");
    assert_eq!(seen[1], "199");
    assert_eq!(seen[19], "181");
    // 168 chunks are left.
    assert_eq!(seen.last().unwrap(), "1680");
}

#[tokio::test]
async fn the_time_left_is_unknown_where_nothing_moves() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    published(&redis, &mut publisher, job(1, 1), 0).await;
    assert_eq!(
        published(&redis, &mut publisher, job(1, 2), 1).await.1,
        "198"
    );
    let mut eta = String::new();
    for second in (10..=70).step_by(10) {
        eta = published(&redis, &mut publisher, job(1, 2), second).await.1;
    }
    assert_eq!(eta, "13860", "chunks may take longer than a minute");
    for second in (80..=1_000).step_by(20) {
        eta = published(&redis, &mut publisher, job(1, 2), second).await.1;
    }
    assert_eq!(eta, "", "a quarter of an hour without a chunk");
    published(&redis, &mut publisher, job(1, 3), 1_001).await;
    let mut paused = job(1, 3);
    paused.state = "paused";
    assert_eq!(published(&redis, &mut publisher, paused, 1_002).await.1, "");
    // What was seen before the pause says nothing.
    let after_it = published(&redis, &mut publisher, job(1, 3), 1_003).await;
    assert_eq!(after_it.1, "");
    assert_eq!(
        published(&redis, &mut publisher, finished(1), 1_004)
            .await
            .1,
        "0"
    );
}

#[tokio::test]
async fn chunks_that_come_back_and_clocks_that_go_back_begin_anew() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    published(&redis, &mut publisher, job(1, 9), 10).await;
    for (done, second, expected) in [(8, 11, ""), (9, 12, "191"), (10, 5, ""), (20, 6, "18")] {
        let (_, eta) = published(&redis, &mut publisher, job(1, done), second).await;
        assert_eq!(eta, expected, "{done} at {second}");
    }
}

#[tokio::test]
async fn a_hundred_percent_is_all_that_was_not_called_off() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let counted = |total, done, empty, cancelled, complete| {
        let mut job = job(1, 0);
        (job.chunks.total, job.chunks.done) = (total, done);
        (job.chunks.empty, job.chunks.cancelled) = (empty, cancelled);
        job.complete = complete;
        job
    };
    let cases = [
        (counted(10_000, 9_990, 9, 0, false), "99.9"),
        (counted(10_000, 9_990, 10, 0, true), "100.0"),
        (counted(3, 1, 1, 0, false), "66.6"),
        (counted(8, 2, 1, 4, false), "75.0"),
        (counted(4, 0, 0, 4, false), "0.0"),
        (counted(0, 0, 0, 0, true), "100.0"),
    ];
    for (second, (job, expected)) in (0..).zip(cases) {
        assert_eq!(
            published(&redis, &mut publisher, job, second).await.0,
            expected
        );
    }
}
