//! The bucket's arithmetic, whoever comes when.

use std::time::Duration;

use common::vendor::limiter::bucket::{Bucket, GRACE, Pace, Slot};
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::ground::assert_within;

#[test]
fn the_interval_is_rounded_to_the_slower_side() {
    for (rate, micros, capacity) in [
        (100.0, 10_000, 5),
        (20.0, 50_000, 1),
        (30.0, 33_334, 1),
        (10_000.0, 100, 500),
        (0.001, 1_000_000_000, 1),
        (1e9, 1, 50_000),
    ] {
        let pace = Pace::per_second(rate);
        assert_eq!(pace.interval, Duration::from_micros(micros), "{rate}");
        assert_eq!(pace.capacity, capacity, "{rate}");
    }
}

#[test]
fn a_slot_that_was_not_taken_is_lost() {
    let pace = Pace::per_second(20.0);
    let mut bucket = Bucket::empty(Duration::ZERO, pace);
    let Slot::At(due) = bucket.take(Duration::ZERO, None, pace) else {
        panic!("it was empty")
    };
    let mut other = bucket;
    assert_eq!(bucket.take(due + GRACE, Some(due), pace), Slot::Now);
    let late = due + GRACE + Duration::from_micros(1);
    assert_eq!(other.take(late, Some(due), pace), Slot::Now);
    // The second took the next slot, the first didn't.
    assert_eq!(bucket.take(late, None, pace), Slot::Now);
    assert_eq!(other.take(late, None, pace), Slot::At(late + pace.interval));
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Event {
    Passes(Duration),
    Asks(usize),
    Hold(Duration),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..120_000_u64).prop_map(|micros| Event::Passes(Duration::from_micros(micros))),
        12 => (0..40_usize).prop_map(Event::Asks),
        1 => (0..900_u64).prop_map(|millis| Event::Hold(Duration::from_millis(millis))),
    ]
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_second_has_too_many_and_no_hold_has_any(
        rate in 1..150_usize,
        events in prop::collection::vec(event(), 1..1500),
    ) {
        let pace = Pace::per_second(f64::from(u32::try_from(rate).unwrap()));
        let mut now = Duration::ZERO;
        let mut bucket = Bucket::empty(now, pace);
        let mut reserved = [None; 40];
        let mut held_until = now;
        let mut times = Vec::new();
        for event in events {
            match event {
                Event::Passes(time) => now += time,
                Event::Hold(wait) => {
                    bucket.hold(now, wait, pace);
                    held_until = held_until.max(now + wait);
                }
                Event::Asks(who) => reserved[who] = match bucket.take(now, reserved[who], pace) {
                    Slot::Now => {
                        prop_assert!(now >= held_until);
                        times.push(now);
                        None
                    }
                    Slot::At(due) => {
                        prop_assert!(due > now && due >= held_until);
                        Some(due)
                    }
                },
            }
        }
        // A tenth of a small limit is less than the one that a bucket holds at least.
        assert_within(&times, rate);
    }
}
