//! Dead chunks and their errors.

use common::chunk::{ChunkId, JobId};
use testkit::redis::Redis;

use super::ground::{NOW, after, job, jobs_publisher, lines, with_dead};

const DEAD: [&str; 2] = ["hgetall", "test:job:1:dead"];

fn chunks(ids: impl IntoIterator<Item = i64>) -> Vec<(ChunkId, String)> {
    let chunk = |id| (ChunkId(id), format!("error {id}"));
    ids.into_iter().map(chunk).collect()
}

#[tokio::test]
async fn the_dead_chunks_of_a_job_are_these_exactly() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    publisher
        .publish(&[with_dead(job(1, 0), 2)], NOW)
        .await
        .unwrap();
    publisher
        .publish_dead(JobId(1), &chunks([4, 5]))
        .await
        .unwrap();
    assert_eq!(lines(&redis, &DEAD), ["4", "error 4", "5", "error 5"]);
    publisher
        .publish_dead(JobId(1), &chunks([5]))
        .await
        .unwrap();
    assert_eq!(lines(&redis, &DEAD), ["5", "error 5"]);
    publisher.publish(&[job(1, 0)], after(1)).await.unwrap();
    assert_eq!(lines(&redis, &["exists", DEAD[1]]), ["0"], "none is dead");
}

#[tokio::test]
async fn they_are_due_when_their_number_changed() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    let jobs = [with_dead(job(1, 0), 2), job(2, 0)];
    publisher.publish(&jobs, NOW).await.unwrap();
    assert_eq!(publisher.dead_due(), [JobId(1)]);
    // Until it was done.
    publisher.publish(&jobs, after(1)).await.unwrap();
    assert_eq!(publisher.dead_due(), [JobId(1)]);
    publisher
        .publish_dead(JobId(1), &chunks([4, 5]))
        .await
        .unwrap();
    let jobs = [with_dead(job(1, 1), 2), job(2, 1)];
    publisher.publish(&jobs, after(2)).await.unwrap();
    assert_eq!(publisher.dead_due(), []);
    let jobs = [with_dead(job(1, 1), 3), job(2, 1)];
    publisher.publish(&jobs, after(3)).await.unwrap();
    assert_eq!(publisher.dead_due(), [JobId(1)]);
}

#[tokio::test]
async fn of_very_many_a_thousand_are_told() {
    let Some(redis) = Redis::start() else { return };
    let mut publisher = jobs_publisher(&redis).await;
    publisher
        .publish_dead(JobId(1), &chunks(0..1_200))
        .await
        .unwrap();
    assert_eq!(lines(&redis, &["hlen", DEAD[1]]), ["1000"]);
}
