//! Instants, days and ranges: no arithmetic loses an instant or counts it twice.

use common::time::{Day, DayRange, Nanos, Span};
use proptest::prelude::*;
use proptest::test_runner::Config;

fn config() -> Config {
    Config {
        failure_persistence: None,
        ..Config::default()
    }
}

fn day(days: i64) -> Day {
    Nanos(0).day().plus(days)
}

fn span(start: i64, end: i64) -> Span {
    Span {
        start: Nanos(start),
        end: Nanos(end),
    }
}

prop_compose! {
    fn days()(start in 0_i64..100_000, length in 1_i64..400) -> DayRange {
        DayRange::new(day(start), day(start + length)).expect("at least one day")
    }
}

prop_compose! {
    /// Spans so short and so near that they touch, overlap, enclose each other or hold nothing.
    fn small_span()(start in -8_i64..24, length in -2_i64..12) -> Span {
        span(start, start + length)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pieces_join_to_the_whole_range_and_none_is_longer_than_asked(
        days in days(),
        length in prop_oneof![-3_i64..500, Just(i64::from(u32::MAX)), Just(i64::MAX)],
    ) {
        let pieces: Vec<_> = days.pieces(length).collect();
        prop_assert_eq!(pieces.first().map(|piece| piece.start()), Some(days.start()));
        prop_assert_eq!(pieces.last().map(|piece| piece.end()), Some(days.end()));
        for pair in pieces.windows(2) {
            prop_assert_eq!(pair[0].end(), pair[1].start());
        }
        for piece in pieces {
            prop_assert!(piece.len_days() >= 1);
            prop_assert!(piece.len_days() <= length.max(1));
        }
    }

    #[test]
    fn an_instant_is_left_exactly_when_no_other_span_holds_it(
        whole in small_span(),
        others in prop::collection::vec(small_span(), 0..6),
    ) {
        let left = whole.without(&others);
        for instant in (-12..40).map(Nanos) {
            let wanted = whole.contains(instant)
                && !others.iter().any(|other| other.contains(instant));
            let found = left.iter().filter(|span| span.contains(instant)).count();
            prop_assert_eq!(found, usize::from(wanted), "{} in {:?}", instant.0, left);
        }
        for pair in left.windows(2) {
            prop_assert!(pair[0].end < pair[1].start, "in order and apart: {:?}", left);
        }
        prop_assert!(left.iter().all(|span| span.start < span.end));
    }

    #[test]
    fn what_is_left_does_not_depend_on_the_order_of_the_others(
        whole in small_span(),
        others in prop::collection::vec(small_span(), 0..6),
    ) {
        let reversed: Vec<_> = others.iter().rev().copied().collect();
        prop_assert_eq!(whole.without(&others), whole.without(&reversed));
    }

    #[test]
    fn two_spans_share_exactly_the_instants_that_both_hold(
        left in small_span(),
        right in small_span(),
    ) {
        let shared = left.intersection(right);
        prop_assert_eq!(shared, right.intersection(left));
        for instant in (-12..40).map(Nanos) {
            let both = left.contains(instant) && right.contains(instant);
            prop_assert_eq!(shared.is_some_and(|span| span.contains(instant)), both);
        }
    }

    #[test]
    fn two_ranges_share_exactly_the_days_that_both_hold(left in days(), right in days()) {
        let spans = left.span().intersection(right.span());
        prop_assert_eq!(left.intersection(right).map(DayRange::span), spans);
        prop_assert_eq!(left.intersection(right), right.intersection(left));
    }

    #[test]
    fn every_instant_lies_in_its_own_day(
        nanos in i64::MIN + 86_400_000_000_000..i64::MAX - 86_400_000_000_000,
    ) {
        let day = Nanos(nanos).day();
        prop_assert!(day.start().0 <= nanos && nanos < day.plus(1).start().0);
    }

    #[test]
    fn an_instant_survives_its_text(nanos in any::<i64>()) {
        let text = Nanos(nanos).to_string();
        prop_assert_eq!(text.parse::<Nanos>(), Ok(Nanos(nanos)));
    }
}

#[test]
fn a_range_of_days_holds_its_start_and_not_its_end() {
    assert_eq!(DayRange::new(day(3), day(3)), None);
    assert_eq!(DayRange::new(day(4), day(3)), None);
    let one = DayRange::new(day(3), day(4)).expect("one day");
    assert_eq!(one.len_days(), 1);
    assert!(one.span().contains(day(3).start()));
    assert!(one.span().contains(Nanos(day(4).start().0 - 1)));
    assert!(!one.span().contains(day(4).start()));
}

#[test]
fn merged_ranges_neither_overlap_nor_touch() {
    let days = |start, end| DayRange::new(day(start), day(end)).unwrap();
    let merged = DayRange::merged(vec![
        days(7, 9),
        days(3, 5),
        days(1, 2),
        days(4, 6),
        days(6, 7),
    ]);
    assert_eq!(merged, [days(1, 2), days(3, 9)]);
    assert_eq!(DayRange::merged(Vec::new()), []);
}

#[test]
fn a_day_that_the_calendar_does_not_have_is_none() {
    assert_eq!(Day::from_ymd(2024, 2, 30), None);
    assert_eq!(Day::from_ymd(2023, 2, 29), None);
    assert_eq!(Day::from_ymd(1969, 12, 31), None);
    assert_eq!(Day::from_ymd(2262, 1, 1), None);
    let leap = Day::from_ymd(2024, 2, 29).expect("2024 is a leap year");
    assert_eq!(leap.plus(1).to_string(), "2024-03-01");
}

#[test]
fn an_instant_is_read_as_the_vendor_writes_it() {
    let wanted = Ok(Nanos(1_704_448_800_000_000_001));
    assert_eq!("2024-01-05T10:00:00.000000001Z".parse(), wanted);
    assert_eq!("2024-01-05 10:00:00.000000001+00:00".parse(), wanted);
    assert_eq!("2024-01-05T05:00:00.000000001-05:00".parse(), wanted);
}

#[test]
fn an_instant_beyond_64_bits_stays_at_its_own_end() {
    assert_eq!("9999-01-01T00:00:00Z".parse(), Ok(Nanos(i64::MAX)));
    assert_eq!("1500-01-01T00:00:00Z".parse(), Ok(Nanos(i64::MIN)));
}

#[test]
fn seconds_are_added_up_to_the_end_of_time() {
    assert_eq!(Nanos(1).plus_seconds(1.5), Nanos(1_500_000_001));
    assert_eq!(Nanos(1).plus_seconds(1e300), Nanos(i64::MAX));
    assert_eq!(Nanos(-2).plus_seconds(-1e300), Nanos(i64::MIN));
}
