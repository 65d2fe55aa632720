//! The stream of changes.

use common::chunk::{ChunkId, ChunkState, JobId};
use common::progress::Change;
use testkit::redis::Redis;

use super::ground::{lines, progress};

fn change(chunk: i64) -> Change {
    Change {
        job: JobId(1),
        chunk: ChunkId(chunk),
        from: ChunkState::Running,
        to: ChunkState::Done,
        worker: "w1".to_owned(),
        records: 42,
        seconds: 1.5,
    }
}

#[tokio::test]
async fn changes_are_told_in_order() {
    let Some(redis) = Redis::start() else { return };
    let progress = progress(&redis).await;
    progress.publish_events(&[]).await.unwrap();
    let changes = [change(7), change(8)];
    progress.publish_events(&changes).await.unwrap();
    let told = lines(&redis, &["xrange", "test:events", "-", "+"]);
    let event = |chunk| {
        [
            "job", "1", "chunk", chunk, "from", "running", "to", "done", "worker", "w1", "records",
            "42", "seconds", "1.500",
        ]
    };
    assert_eq!(told.len(), 30);
    assert_eq!(told[1..15], event("7"));
    assert_eq!(told[16..], event("8"));
}

#[tokio::test]
async fn the_stream_is_capped() {
    let Some(redis) = Redis::start() else { return };
    let progress = progress(&redis).await;
    let changes: Vec<_> = (0..12_000).map(change).collect();
    for part in [&changes[..500], &changes[500..], &changes] {
        progress.publish_events(part).await.unwrap();
        let length: usize = lines(&redis, &["xlen", "test:events"])[0].parse().unwrap();
        // Redis cuts whole nodes, of a hundred.
        assert!(length <= 10_100, "{length}");
    }
    let last = lines(
        &redis,
        &["xrevrange", "test:events", "+", "-", "count", "1"],
    );
    assert_eq!(last[4], "11999");
}
