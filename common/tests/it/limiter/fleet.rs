//! A fleet on Redis: processes that are killed, and a Redis that is wiped, killed and restarted.

use std::time::Duration;

use common::vendor::limiter::{Class, Limiter};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use testkit::redis::Redis;

use super::ground::{
    EXPIRY, FOREVER, PREFIX, assert_no_burst, connect, fleet, limits, redis_now, send, since, until,
};

/// A process's end is waited for so long.
const SHORT_EXPIRY: Duration = Duration::from_secs(2);

#[tokio::test]
async fn the_connections_of_a_killed_process_come_back() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url();
    let killed = tokio::task::spawn_blocking(move || in_a_process_that_is_killed(&url));
    let admitted_at = killed.await.unwrap();
    let other = fleet(&redis, SHORT_EXPIRY, limits(1000.0, 1)).await;
    let permit = tokio::time::timeout(FOREVER, other.admit(Class::Metadata))
        .await
        .unwrap();
    assert!(permit.admitted_at() >= admitted_at + SHORT_EXPIRY);
}

/// Takes the only connection; nothing of the process is left to give it back.
fn in_a_process_that_is_killed(url: &str) -> Duration {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let admitted_at = runtime.block_on(async {
        let redis = common::redis::connect(url).await.unwrap();
        let options = common::vendor::limiter::FleetOptions {
            prefix: PREFIX.to_owned(),
            connection_expiry: SHORT_EXPIRY,
        };
        let limiter = Limiter::fleet(redis, options, limits(1000.0, 1));
        let permit = limiter.admit(Class::Timeseries).await;
        let admitted_at = permit.admitted_at();
        std::mem::forget(permit);
        admitted_at
    });
    runtime.shutdown_background();
    admitted_at
}

#[tokio::test]
async fn a_held_connection_is_renewed() {
    let Some(redis) = Redis::start() else { return };
    let limiter = fleet(&redis, EXPIRY, limits(1000.0, 1)).await;
    let mut redis = connect(&redis).await;
    let _permit = limiter.admit(Class::Timeseries).await;
    let first = expiries(&mut redis).await;
    assert_eq!(first.len(), 1);
    assert!(first[0].0.starts_with("timeseries:"), "{first:?}");
    until(async || {
        let now = expiries(&mut redis).await;
        assert_eq!((now.len(), &now[0].0), (1, &first[0].0));
        now[0].1 > first[0].1
    })
    .await;
}

#[tokio::test]
async fn a_wiped_redis_lets_no_burst_out() {
    let Some(redis) = Redis::start() else { return };
    let members = [
        fleet(&redis, EXPIRY, limits(100.0, 100)).await,
        fleet(&redis, EXPIRY, limits(100.0, 100)).await,
    ];
    let mut redis = connect(&redis).await;
    send(&members, Class::Metadata, 5).await;
    // Full again, and with reserved slots.
    let first_since = since(&mut redis).await.unwrap();
    let sending = tokio::spawn({
        let members = members.clone();
        async move { send(&members, Class::Metadata, 30).await }
    });
    drop(members[0].admit(Class::Metadata).await);
    wipe(&mut redis).await;
    let times = sending.await.unwrap();
    drop(members[0].admit(Class::Metadata).await);
    let second_since = since(&mut redis).await.unwrap();
    assert!(second_since > first_since);
    let after_it: Vec<_> = times
        .into_iter()
        .filter(|time| *time >= second_since)
        .collect();
    assert_no_burst(
        &after_it,
        second_since + EXPIRY / 10,
        Duration::from_millis(10),
    );
}

#[tokio::test]
async fn what_is_held_comes_back_after_a_wipe() {
    let Some(redis) = Redis::start() else { return };
    let members = [
        fleet(&redis, EXPIRY, limits(1000.0, 1)).await,
        fleet(&redis, EXPIRY, limits(1000.0, 1)).await,
    ];
    let mut redis = connect(&redis).await;
    let permit = members[0].admit(Class::Timeseries).await;
    members[0].hold(Class::Metadata, FOREVER * 2).await;
    let before = expiries(&mut redis).await;
    wipe(&mut redis).await;
    until(async || held_until(&mut redis, Class::Metadata).await.is_some()).await;
    until(async || !expiries(&mut redis).await.is_empty()).await;
    assert_eq!(expiries(&mut redis).await[0].0, before[0].0);
    drop(permit);
    drop(members[1].admit(Class::Timeseries).await);
}

#[tokio::test]
async fn a_redis_that_is_gone_is_waited_for() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let members = [
        fleet(&redis, EXPIRY, limits(1000.0, 1)).await,
        fleet(&redis, EXPIRY, limits(1000.0, 1)).await,
    ];
    let permit = members[0].admit(Class::Timeseries).await;
    redis.kill();
    // Given back to nobody; the server that comes knows nothing of it.
    drop(permit);
    let wait = FOREVER * 2;
    members[1].hold(Class::Symbology, wait).await;
    let waiting = tokio::spawn(async move {
        let permit = members[0].admit(Class::Timeseries).await;
        (members, permit.admitted_at())
    });
    redis.restart();
    let mut redis = connect(&redis).await;
    let restarted_at = redis_now(&mut redis).await;
    let waited = tokio::time::timeout(FOREVER, waiting).await.unwrap();
    let (_members, admitted_at) = waited.unwrap();
    let opening = since(&mut redis).await.unwrap() + EXPIRY / 10;
    assert!(admitted_at >= opening, "{restarted_at:?}");
    until(async || held_until(&mut redis, Class::Symbology).await.is_some()).await;
}

#[tokio::test]
async fn nothing_is_left_in_redis_of_those_who_are_done() {
    let Some(redis) = Redis::start() else { return };
    let limiter = fleet(&redis, EXPIRY, limits(1000.0, 9)).await;
    let mut redis = connect(&redis).await;
    send(std::slice::from_ref(&limiter), Class::Symbology, 5).await;
    drop(limiter);
    until(async || expiries(&mut redis).await.is_empty()).await;
}

/// The open connections, and when they expire, in microseconds.
async fn expiries(redis: &mut ConnectionManager) -> Vec<(String, f64)> {
    let key = format!("{PREFIX}connections");
    redis.zrange_withscores(key, 0, -1).await.unwrap()
}

async fn held_until(redis: &mut ConnectionManager, class: Class) -> Option<u64> {
    let key = format!("{PREFIX}{}", class.name());
    redis.hget(key, "held_until").await.unwrap()
}

async fn wipe(redis: &mut ConnectionManager) {
    redis::cmd("FLUSHALL").exec_async(redis).await.unwrap();
}
