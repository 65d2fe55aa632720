//! The pool on the queue in Redis: every hint is taken, whatever happens to workers and to Redis.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::queue::Hint;
use common::time::Nanos;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use worker::pool::{Fleet, Work};

mod ground;

use ground::{Ground, hint, key, within};

#[tokio::test]
async fn ten_thousand_hints_that_are_due_at_once_are_each_taken_once_and_forgotten() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    assert_eq!(ground.push(0..10_000).await, 10_000);
    let mut pool = ground.pool("it", 16);
    pool.gate.add_permits(10_000);
    let taken = pool.taken(10_000).await;
    let mut times = HashMap::<Hint, u32>::new();
    taken
        .iter()
        .for_each(|hint| *times.entry(*hint).or_default() += 1);
    assert!(times.len() == 10_000 && times.values().all(|times| *times == 1));
    ground.forgets_all().await;
    assert_eq!(ground.push(0..10).await, 10);
    pool.gate.add_permits(10);
    pool.taken(10).await;
    pool.end().await;
    ground.is_empty().await;
}

#[tokio::test]
async fn what_cant_be_read_stops_nobody() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 4);
    pool.gate.add_permits(10);
    for (id, payload) in [
        ("1", "{not JSON"),
        ("2:2", "{\"chunk\":\"x\"}"),
        ("3:3", "\u{0}"),
    ] {
        let meta = key(&format!("meta:{id}"));
        let about = ["attempts", "0", "max_attempts", "1", "status", "Pending"];
        ground.tell(redis::cmd("HSET").arg(meta).arg(&about)).await;
        ground
            .tell(redis::cmd("HSET").arg(key("data")).arg(id).arg(payload))
            .await;
        ground
            .tell(redis::cmd("RPUSH").arg(key("active")).arg(id))
            .await;
    }
    ground.push(7..8).await;
    assert_eq!(pool.taken(1).await, [hint(7)]);
    ground.forgets_all().await;
    let names = ground.names().await;
    assert_eq!(names.len(), 1, "no worker had to start again: {names:?}");
    pool.end().await;
}

#[tokio::test]
async fn a_hint_whose_message_is_missing_stops_nobody_for_good() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 4);
    ground.push(1..2).await;
    pool.taken(1).await;
    ground
        .tell(redis::cmd("RPUSH").arg(key("active")).arg("9:9"))
        .await;
    ground.push(2..3).await;
    assert_eq!(pool.taken(1).await, [hint(2)]);
    pool.gate.add_permits(2);
    pool.end().await;
    ground.is_empty().await;
}

#[tokio::test]
async fn work_that_panics_takes_up_no_slot() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let (told, mut taken) = mpsc::unbounded_channel();
    let work: Work = Arc::new(move |hint| {
        told.send(hint).unwrap();
        Box::pin(async move { assert!(hint.chunk.0 >= 20, "a panic on purpose") })
    });
    let ended = CancellationToken::new();
    let fleet = Fleet::new(ground.queue.clone(), "it", 2, work).run(ended.clone());
    let fleet = tokio::spawn(fleet);
    ground.push(0..21).await;
    for _ in 0..21 {
        within(taken.recv()).await.unwrap();
    }
    ground.forgets_all().await;
    ended.cancel();
    within(fleet).await.unwrap();
}

#[tokio::test]
async fn workers_come_back_after_redis_was_killed_and_came_up_empty() {
    let Some(mut ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 6);
    ground.push(0..5).await;
    pool.taken(5).await;
    ground.redis.kill();
    ground.redis.restart();
    // Five of six slots are still in use.
    ground.push(10..13).await;
    assert_eq!(pool.taken(1).await, [hint(10)]);
    assert!(pool.hints.try_recv().is_err());
    pool.gate.add_permits(8);
    assert_eq!(pool.taken(2).await, [hint(11), hint(12)]);
    pool.end().await;
    ground.is_empty().await;
}

#[tokio::test]
async fn workers_come_back_after_all_keys_were_deleted() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 2);
    ground.push(0..1).await;
    pool.taken(1).await;
    ground.tell(&redis::cmd("FLUSHALL")).await;
    ground.push(0..2).await;
    // The first is still being worked on, but the queue no longer knows that: the database does.
    assert_eq!(pool.taken(1).await, [hint(0)]);
    pool.gate.add_permits(3);
    assert_eq!(pool.taken(1).await, [hint(1)]);
    pool.end().await;
    ground.is_empty().await;
}

#[tokio::test]
async fn the_end_waits_for_the_work_at_hand_and_takes_no_more() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 18);
    ground.push(0..30).await;
    pool.taken(18).await;
    pool.ended.cancel();
    pool.gate.add_permits(17);
    let left = async {
        while pool.gate.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    };
    within(left).await;
    assert!(!pool.running.is_finished());
    pool.gate.add_permits(1);
    within(&mut pool.running).await.unwrap();
    assert!(pool.hints.try_recv().is_err());
    assert_eq!(ground.names().await, [""; 0]);
    let length = ground.queue.len().await.unwrap();
    assert!(
        length.known == length.waiting && length.known <= 12,
        "{length:?}"
    );
}

#[tokio::test]
async fn workers_are_as_many_as_there_is_work_for() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 64);
    ground.push(0..1).await;
    pool.taken(1).await;
    assert_eq!(ground.names().await.len(), 1);
    ground.push(1..70).await;
    pool.taken(63).await;
    assert_eq!(ground.names().await.len(), 16);
    pool.gate.add_permits(70);
    pool.taken(6).await;
    let fewer = async {
        while ground.names().await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(fewer).await;
    ground.push(100..101).await;
    pool.gate.add_permits(1);
    pool.taken(1).await;
    pool.end().await;
    ground.is_empty().await;
}

#[tokio::test]
async fn long_work_does_not_make_a_worker_seem_dead() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("busy", 4);
    ground.push(0..4).await;
    pool.taken(4).await;
    // Another process, which would take over what a silent worker holds.
    let mut other = ground.pool("other", 4);
    ground.push(4..5).await;
    other.taken(1).await;
    let names = ground.names().await;
    let began = Nanos::now().0 / 1_000_000_000;
    let beats = async {
        let name = names.iter().find(|name| name.starts_with("busy")).unwrap();
        loop {
            let command = redis::cmd("ZSCORE").arg(key("workers")).arg(name).clone();
            // Twice the silence after which it would be taken for dead.
            if ground.ask::<i64>(&command).await >= began + 8 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(beats).await;
    assert_eq!(ground.names().await, names);
    assert!(other.hints.try_recv().is_err());
    pool.gate.add_permits(4);
    other.gate.add_permits(1);
    ground.forgets_all().await;
    pool.end().await;
    other.end().await;
}

#[tokio::test]
async fn a_process_that_starts_again_does_not_wait_for_its_old_name() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 4);
    ground.push(0..4).await;
    pool.taken(4).await;
    // As if it was killed: nothing is released.
    pool.running.abort();
    assert!(within(pool.running).await.unwrap_err().is_cancelled());
    let mut pool = ground.pool("it", 4);
    ground.push(4..5).await;
    assert_eq!(pool.taken(1).await, [hint(4)]);
    // What the old one held comes again: its silence is noticed.
    pool.gate.add_permits(5);
    let mut again = pool.taken(4).await;
    again.sort_by_key(|hint| hint.chunk);
    assert_eq!(again, [hint(0), hint(1), hint(2), hint(3)]);
    pool.end().await;
}

#[tokio::test]
async fn an_idle_process_asks_redis_seldom_whatever_its_slots() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let mut pool = ground.pool("it", 256);
    ground.push(0..1).await;
    pool.gate.add_permits(1);
    pool.taken(1).await;
    ground.forgets_all().await;
    let before = ground.commands().await;
    let began = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let commands = ground.commands().await - before;
    let seconds = began.elapsed().as_secs_f64();
    // One is the question itself; heartbeats are five times as frequent here as they are else.
    let most = 48.0 * seconds + 10.0 * seconds;
    assert!(commands - 1.0 <= most, "{commands} in {seconds} s");
    pool.end().await;
}
