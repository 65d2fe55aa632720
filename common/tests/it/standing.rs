//! Where a symbol's day stands, case by case; the days are of January 2024, and the 6th a Saturday.

use common::request::Symbols;
use common::standing::{Evidence, Standing, Standings};
use common::store::{Held, RecordedDays, Slice};
use common::time::{Day, DayRange};
use common::vendor::{Condition, DayCondition, Resolution, SymbolWindow};

const ES: u32 = 1;
const CL: u32 = 2;

fn day(number: u32) -> Day {
    Day::from_ymd(2024, 1, number).expect("a day")
}

fn days(first: u32, end: u32) -> DayRange {
    DayRange::new(day(first), day(end)).expect("at least one day")
}

fn named(name: &str) -> Symbols {
    Symbols::named(vec![name.to_owned()])
}

fn slice(instrument_id: Option<u32>, days: DayRange, records_on: Option<&[u32]>) -> Slice {
    let held = Held {
        instrument_id,
        span: days.span(),
    };
    let days = records_on.map(|on| recorded(held, on));
    Slice { held, days }
}

fn recorded(held: Held, on: &[u32]) -> RecordedDays {
    let mut days = RecordedDays::none(held.span);
    for number in on {
        days.mark(day(*number).start());
    }
    days
}

fn condition(number: u32, condition: Condition) -> DayCondition {
    DayCondition {
        day: day(number),
        condition,
        last_modified: None,
    }
}

/// ES means something on all weekdays from the 2nd to the 12th, CL from the 9th on.
fn symbology() -> Resolution {
    let windows = |instrument_id, all: &[DayRange]| {
        let window = |days: &DayRange| SymbolWindow {
            instrument_id,
            days: *days,
        };
        all.iter().map(window).collect::<Vec<_>>()
    };
    let of = [
        ("ES", windows(ES, &[days(2, 6), days(8, 13)])),
        ("CL", windows(CL, &[days(9, 13)])),
    ];
    Resolution {
        windows: of.map(|(name, windows)| (name.to_owned(), windows)).into(),
    }
}

/// Both were asked for from the 2nd to the 9th, and ES was loaded.
fn loaded() -> Evidence {
    Evidence {
        resolution: symbology(),
        asked: vec![(named("ES"), days(2, 10)), (named("CL"), days(2, 10))],
        held: vec![
            slice(Some(ES), days(2, 6), None),
            slice(Some(ES), days(8, 10), None),
        ],
        ..Evidence::default()
    }
}

fn standings(evidence: &Evidence, symbol: &str, numbers: [u32; 3]) -> [Standing; 3] {
    let standings = Standings::new(evidence);
    numbers.map(|number| standings.of(symbol, day(number)))
}

#[test]
fn no_session_not_fetched_and_not_existing_are_told_apart() {
    let evidence = loaded();
    assert_eq!(
        standings(&evidence, "ES", [5, 6, 11]),
        [Standing::Held, Standing::Empty, Standing::NotFetched]
    );
    assert_eq!(
        standings(&evidence, "CL", [5, 6, 9]),
        [
            Standing::UnknownSymbol,
            Standing::Empty,
            Standing::NotFetched
        ]
    );
    // Nobody asked what the symbol means then.
    assert_eq!(
        standings(&evidence, "NQ", [5, 6, 11]),
        [Standing::NotFetched; 3]
    );
}

#[test]
fn a_day_without_records_in_a_slice_is_empty_where_that_is_known() {
    let mut evidence = loaded();
    evidence.held[0].days = Some(recorded(evidence.held[0].held, &[2, 3]));
    assert_eq!(
        standings(&evidence, "ES", [3, 4, 5]),
        [Standing::Held, Standing::Empty, Standing::Empty]
    );
}

#[test]
fn what_a_chunk_found_empty_is_empty_with_slices_and_without() {
    let evidence = Evidence {
        resolution: symbology(),
        held: vec![slice(Some(ES), days(8, 9), Some(&[]))],
        empty: vec![(named("ES"), days(6, 10))],
        ..Evidence::default()
    };
    assert_eq!(standings(&evidence, "ES", [6, 8, 9]), [Standing::Empty; 3]);
    let of_all = Evidence {
        empty: vec![(Symbols::ALL, days(6, 8))],
        ..Evidence::default()
    };
    let all = Standings::new(&of_all);
    let found = [5, 6, 8].map(|number| all.of_all(day(number)));
    let wanted = [Standing::NotFetched, Standing::Empty, Standing::NotFetched];
    assert_eq!(found, wanted);
    assert_eq!(all.of("ES", day(6)), Standing::Empty);
}

#[test]
fn that_nothing_was_found_proves_nothing_where_the_vendor_lacks_the_day() {
    let mut evidence = loaded();
    evidence.held[1].days = Some(recorded(evidence.held[1].held, &[]));
    evidence.empty = vec![(named("CL"), days(9, 10))];
    evidence.conditions = vec![
        condition(3, Condition::Missing),
        condition(4, Condition::Degraded),
        condition(8, Condition::Missing),
        condition(9, Condition::Pending),
        condition(11, Condition::Missing),
    ];
    assert_eq!(
        standings(&evidence, "ES", [8, 9, 11]),
        [
            Standing::VendorMissing,
            Standing::VendorPending,
            Standing::VendorMissing
        ]
    );
    assert_eq!(
        standings(&evidence, "CL", [8, 9, 12]),
        [
            Standing::VendorMissing,
            Standing::VendorPending,
            Standing::NotFetched
        ]
    );
    // What is held stays held.
    assert_eq!(standings(&evidence, "ES", [2, 3, 4]), [Standing::Held; 3]);
}

#[test]
fn a_slice_of_every_instrument_holds_each_symbol() {
    let evidence = Evidence {
        resolution: symbology(),
        held: vec![slice(None, days(2, 9), None)],
        conditions: vec![condition(10, Condition::Pending)],
        ..Evidence::default()
    };
    assert_eq!(
        standings(&evidence, "ES", [5, 8, 9]),
        [Standing::Held, Standing::Held, Standing::NotFetched]
    );
    // Whatever it meant then, it is held.
    assert_eq!(
        standings(&evidence, "CL", [5, 8, 9]),
        [Standing::Held, Standing::Held, Standing::NotFetched]
    );
    let all = Standings::new(&evidence);
    let found = [8, 9, 10].map(|number| all.of_all(day(number)));
    let wanted = [
        Standing::Held,
        Standing::NotFetched,
        Standing::VendorPending,
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_day_of_which_a_part_is_held_is_not_fetched() {
    let mut evidence = loaded();
    evidence.held[0].held.span.end = day(5).start().plus_seconds(3_600.0);
    assert_eq!(
        standings(&evidence, "ES", [4, 5, 8]),
        [Standing::Held, Standing::NotFetched, Standing::Held]
    );
}
