//! The queue in Redis: what is put in is known until it was dealt with, and nothing stays for ever.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use common::chunk::ChunkId;
use common::queue::{Hint, Length, RedisQueue};
use common::time::Nanos;
use redis::aio::ConnectionManager;
use testkit::redis::Redis;

const NAMESPACE: &str = "test:queue";

#[tokio::test]
async fn a_hint_that_is_known_is_not_put_in_twice() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let queue = &ground.queue;
    assert_eq!(queue.push(&hints(0..3)).await.unwrap(), 3);
    assert_eq!(queue.push(&hints(1..5)).await.unwrap(), 2);
    let later = Hint {
        generation: 8,
        ..hint(1)
    };
    assert_eq!(queue.push(&[later, later]).await.unwrap(), 1);
    let length = Length {
        known: 6,
        waiting: 6,
    };
    assert_eq!(queue.len().await.unwrap(), length);
    let known = queue.known(&hints(3..7)).await.unwrap();
    assert_eq!(known, [true, true, false, false]);
    assert_eq!(
        ground
            .text(redis::cmd("HGET").arg(key("data")).arg("4:7"))
            .await,
        r#"{"chunk":4,"generation":7}"#
    );
}

#[tokio::test]
async fn more_than_a_batch_is_put_in_and_found_in_its_order() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let many = hints(0..1_201);
    assert_eq!(ground.queue.push(&many).await.unwrap(), 1_201);
    let known = ground.queue.known(&many).await.unwrap();
    assert_eq!(known, vec![true; 1_201]);
    let waiting: Vec<String> = ground
        .ask(redis::cmd("LRANGE").arg(key("active")).arg(0).arg(-1))
        .await;
    let pushed: Vec<String> = many.iter().map(|hint| hint.task_id()).collect();
    assert_eq!(waiting, pushed);
    assert_eq!(ground.queue.push(&[]).await.unwrap(), 0);
    assert_eq!(ground.queue.known(&[]).await.unwrap(), [false; 0]);
}

#[tokio::test]
async fn what_is_finished_is_swept_and_can_be_put_in_again() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let many = hints(0..1_300);
    ground.queue.push(&many).await.unwrap();
    for (index, hint) in many.iter().enumerate().skip(100) {
        let set = if index % 2 == 0 { "done" } else { "dead" };
        ground.moved(*hint, set).await;
    }
    assert_eq!(ground.queue.sweep().await.unwrap(), 1_200);
    assert_eq!(ground.queue.len().await.unwrap().known, 100);
    assert_eq!(ground.queue.push(&many).await.unwrap(), 1_200);
    ground.leave_only(&["data", "active"], 1_300).await;
}

#[tokio::test]
async fn a_worker_that_is_gone_is_swept_with_what_it_held_and_one_that_lives_is_not() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let now = Nanos::now().0 / 1_000_000_000;
    ground.queue.push(&hints(0..4)).await.unwrap();
    for (index, (name, seen)) in [
        ("gone", Some(now - 90)),
        ("lives", Some(now - 30)),
        ("nameless", None),
    ]
    .into_iter()
    .enumerate()
    {
        ground.worker(name, seen).await;
        let held = hint(i64::try_from(index).unwrap());
        ground.moved(held, &format!("inflight:{name}")).await;
    }
    assert_eq!(ground.queue.sweep().await.unwrap(), 2);
    let known = ground.queue.known(&hints(0..4)).await.unwrap();
    assert_eq!(known, [false, true, false, true]);
    let keys = [
        "data",
        "active",
        "workers",
        "workers:metadata:lives",
        "inflight:lives",
    ];
    ground.leave_only(&keys, 2).await;
}

#[tokio::test]
async fn a_worker_that_is_released_leaves_nothing() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    ground.queue.push(&hints(0..2)).await.unwrap();
    ground
        .worker("it", Some(Nanos::now().0 / 1_000_000_000))
        .await;
    ground.moved(hint(0), "inflight:it").await;
    ground.moved(hint(1), "inflight:it").await;
    assert_eq!(ground.queue.release_worker("it").await.unwrap(), 2);
    assert_eq!(ground.queue.release_worker("it").await.unwrap(), 0);
    ground.leave_only(&[], 0).await;
    assert_eq!(ground.queue.push(&hints(0..2)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_hint_that_is_known_but_nowhere_is_found_by_the_sweep() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    ground.queue.push(&hints(0..5)).await.unwrap();
    ground
        .worker("it", Some(Nanos::now().0 / 1_000_000_000))
        .await;
    ground.moved(hint(0), "inflight:it").await;
    assert_eq!(ground.queue.sweep().await.unwrap(), 0);
    ground.ask::<()>(redis::cmd("DEL").arg(key("active"))).await;
    assert_eq!(ground.queue.sweep().await.unwrap(), 4);
    assert_eq!(ground.queue.push(&hints(0..5)).await.unwrap(), 4);
}

struct Ground {
    queue: RedisQueue,
    connection: ConnectionManager,
    _redis: Redis,
}

impl Ground {
    async fn new() -> Option<Self> {
        let redis = Redis::start()?;
        let connection = common::redis::connect(&redis.url()).await.unwrap();
        Some(Self {
            queue: RedisQueue::new(connection.clone(), NAMESPACE),
            connection,
            _redis: redis,
        })
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.unwrap()
    }

    async fn text(&self, command: &redis::Cmd) -> String {
        self.ask(command).await
    }

    /// A worker as apalis writes it down; without a heartbeat only its leavings.
    async fn worker(&self, name: &str, seen: Option<i64>) {
        let metadata = key(&format!("workers:metadata:{name}"));
        let service = redis::cmd("HSET")
            .arg(metadata)
            .arg("service")
            .arg("s")
            .clone();
        self.ask::<()>(&service).await;
        if let Some(second) = seen {
            self.ask::<()>(redis::cmd("ZADD").arg(key("workers")).arg(second).arg(name))
                .await;
        }
    }

    /// Takes a hint off the list of what waits, and puts it into a set.
    async fn moved(&self, hint: Hint, set: &str) {
        let id = hint.task_id();
        self.ask::<()>(redis::cmd("LREM").arg(key("active")).arg(1).arg(&id))
            .await;
        self.ask::<()>(redis::cmd("SADD").arg(key(set)).arg(&id))
            .await;
    }

    /// These keys are there, a hash for each of so many hints, and no more.
    async fn leave_only(&self, keys: &[&str], hints: usize) {
        let all: Vec<String> = self.ask(redis::cmd("KEYS").arg("*")).await;
        let prefix = key("meta:");
        let (of_hints, mut others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|name| name.starts_with(&prefix));
        let mut expected: Vec<String> = keys.iter().map(|name| key(name)).collect();
        others.sort();
        expected.sort();
        assert_eq!((of_hints.len(), others), (hints, expected));
    }
}

fn key(name: &str) -> String {
    format!("{NAMESPACE}:{name}")
}

fn hint(chunk: i64) -> Hint {
    Hint {
        chunk: ChunkId(chunk),
        generation: 7,
    }
}

fn hints(chunks: std::ops::Range<i64>) -> Vec<Hint> {
    chunks.map(hint).collect()
}
