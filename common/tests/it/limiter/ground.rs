//! Two limiters that count as one, and how fast they let requests out.

use std::time::Duration;

use common::vendor::limiter::{Class, FleetOptions, Limiter, Limits};
use redis::aio::ConnectionManager;
use testkit::redis::Redis;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Longer than anything takes.
pub const FOREVER: Duration = Duration::from_secs(120);
/// Where Redis knows nothing, a tenth of it passes first.
pub const EXPIRY: Duration = Duration::from_secs(10);
pub const PREFIX: &str = "test:limits:";

/// Those who share the limits.
pub struct Team {
    redis: Option<Redis>,
    started: Instant,
}

impl Team {
    /// Of one process; its clock is stopped, and starts with the team.
    pub fn in_process() -> Self {
        Self {
            redis: None,
            started: Instant::now(),
        }
    }

    /// Of a fleet, where a Redis server is installed.
    pub fn on_redis() -> Option<Self> {
        Some(Self {
            redis: Some(Redis::start()?),
            started: Instant::now(),
        })
    }

    /// Two of them.
    pub async fn members(&self, limits: Limits) -> [Limiter; 2] {
        match &self.redis {
            None => {
                let limiter = Limiter::in_process(limits);
                [limiter.clone(), limiter]
            }
            Some(redis) => [
                fleet(redis, EXPIRY, limits).await,
                fleet(redis, EXPIRY, limits).await,
            ],
        }
    }

    /// The limiters' clock.
    pub async fn now(&self) -> Duration {
        match &self.redis {
            None => self.started.elapsed(),
            Some(redis) => redis_now(&mut connect(redis).await).await,
        }
    }

    /// From when on they may give slots.
    pub async fn opening(&self) -> Duration {
        match &self.redis {
            None => Duration::ZERO,
            Some(redis) => since(&mut connect(redis).await).await.unwrap() + EXPIRY / 10,
        }
    }
}

pub async fn fleet(redis: &Redis, connection_expiry: Duration, limits: Limits) -> Limiter {
    let options = FleetOptions {
        prefix: PREFIX.to_owned(),
        connection_expiry,
    };
    Limiter::fleet(connect(redis).await, options, limits)
}

pub async fn connect(redis: &Redis) -> ConnectionManager {
    common::redis::connect(&redis.url()).await.unwrap()
}

pub async fn redis_now(redis: &mut ConnectionManager) -> Duration {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(redis).await.unwrap();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// Since when Redis knows anything.
pub async fn since(redis: &mut ConnectionManager) -> Option<Duration> {
    let key = format!("{PREFIX}since");
    let micros: Option<u64> = redis::cmd("GET").arg(key).query_async(redis).await.unwrap();
    micros.map(Duration::from_micros)
}

/// So many requests of each class a second, and connections.
pub fn limits(per_second: f64, connections_max: usize) -> Limits {
    Limits {
        timeseries_per_second: per_second,
        metadata_per_second: per_second,
        symbology_per_second: per_second,
        connections_max,
    }
}

/// Sends so many requests by each member, some at once; when they were admitted, in order.
pub async fn send(members: &[Limiter], class: Class, each: usize) -> Vec<Duration> {
    let mut tasks = JoinSet::new();
    for member in members {
        for _ in 0..each {
            let member = member.clone();
            tasks.spawn(async move { member.admit(class).await.admitted_at() });
        }
    }
    let mut times = tokio::time::timeout(FOREVER, tasks.join_all())
        .await
        .unwrap();
    times.sort();
    times
}

/// Waits until the question is answered with yes.
pub async fn until(mut question: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !question().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, asking).await.unwrap();
}

/// In no second there are more than the limit and a tenth.
#[track_caller]
pub fn assert_within(times: &[Duration], per_second: usize) {
    let most = per_second + per_second.div_ceil(10);
    for (first, later) in times.iter().zip(times.iter().skip(most)) {
        let apart = *later - *first;
        assert!(
            apart >= Duration::from_secs(1),
            "{} requests in {apart:?}",
            most + 1
        );
    }
}

/// So many at most have come out of what was empty at the opening: one an interval.
#[track_caller]
pub fn assert_no_burst(times: &[Duration], opening: Duration, interval: Duration) {
    let mut due = opening;
    for time in times {
        due += interval;
        assert!(*time >= due, "{:?} early, of {times:?}", due - *time);
    }
}
