//! A process alone, by a stopped clock: what is exact there.

use std::time::Duration;

use common::vendor::limiter::{Class, Limiter};
use tokio::time::Instant;

use super::ground::{limits, send};

#[tokio::test(start_paused = true)]
async fn the_pace_is_used_in_full() {
    let limiter = Limiter::in_process(limits(20.0, 100));
    let times = send(&[limiter], Class::Metadata, 40).await;
    let expected: Vec<_> = (1..=40)
        .map(|slot| Duration::from_millis(50) * slot)
        .collect();
    assert_eq!(times, expected);
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_a_few_go_out_at_once() {
    let limiter = Limiter::in_process(limits(100.0, 100));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let times = send(&[limiter], Class::Metadata, 7).await;
    let expected = [0, 0, 0, 0, 0, 10, 20];
    let expected = expected.map(|millis| Duration::from_millis(60_000 + millis));
    assert_eq!(times, expected);
}

#[tokio::test(start_paused = true)]
async fn a_taken_connection_is_waited_for() {
    let limiter = Limiter::in_process(limits(100.0, 1));
    let permit = limiter.admit(Class::Timeseries).await;
    let waiting = tokio::time::timeout(Duration::from_secs(3600), limiter.admit(Class::Metadata));
    assert!(waiting.await.is_err());
    drop(permit);
    let freed_at = Instant::now();
    drop(limiter.admit(Class::Metadata).await);
    assert_eq!(freed_at.elapsed(), Duration::ZERO);
}
