//! Requests: what the vendor is asked for, in the vendor's words.

use common::request::Symbols;
use common::time::{Day, DayRange};
use common::vendor::RangeRequest;
use dbn::{SType, Schema};
use proptest::prelude::*;
use proptest::test_runner::Config;

fn names(names: &[&str]) -> Symbols {
    Symbols::named(names.iter().map(|name| (*name).to_owned()).collect())
}

fn ask(schema: Schema, stype_in: SType, symbols: &Symbols) -> RangeRequest {
    let start = Day::from_ymd(2024, 1, 4).expect("a day");
    let days = DayRange::new(start, start.plus(2)).expect("two days");
    RangeRequest::new("GLBX.MDP3", schema, stype_in, symbols, days)
}

#[test]
fn symbols_are_asked_for_as_they_are_written() {
    let request = ask(
        Schema::Trades,
        SType::Continuous,
        &names(&["ES.c.0", "CL.c.0"]),
    );
    assert_eq!(request.symbols.to_string(), "CL.c.0,ES.c.0");
    assert_eq!(request.stype_in, "continuous");
    assert_eq!(request.schema, "trades");
    assert_eq!(
        request.span.start.to_string(),
        "2024-01-04T00:00:00.000000000Z"
    );
    assert_eq!(
        request.span.end.to_string(),
        "2024-01-06T00:00:00.000000000Z"
    );
}

#[test]
fn definitions_of_continuous_symbols_are_asked_for_by_all() {
    let symbols = names(&["ES.c.0"]);
    let request = ask(Schema::Definition, SType::Continuous, &symbols);
    assert_eq!(request.symbols, Symbols::ALL);
    assert_eq!(request.stype_in, "raw_symbol");
    let request = ask(Schema::Definition, SType::Parent, &names(&["ES.FUT"]));
    assert_eq!(request.symbols, names(&["ES.FUT"]));
    assert_eq!(request.stype_in, "parent");
}

#[test]
fn all_symbols_are_asked_for_in_one_way_however_the_job_writes_them() {
    for stype_in in [SType::RawSymbol, SType::Continuous, SType::InstrumentId] {
        let request = ask(Schema::Trades, stype_in, &Symbols::ALL);
        assert_eq!(request.symbols.to_string(), "ALL_SYMBOLS");
        assert_eq!(
            request,
            ask(Schema::Trades, SType::RawSymbol, &Symbols::ALL)
        );
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn groups_hold_each_symbol_once_and_no_more_than_asked(
        symbols in prop::collection::vec("[A-Z]{1,3}", 1..40),
        most in 0_usize..12,
    ) {
        let all = Symbols::named(symbols);
        let groups: Vec<_> = all.groups(most).collect();
        let of_group = |group: &Symbols| group.names().unwrap_or_default().to_vec();
        let joined: Vec<_> = groups.iter().flat_map(of_group).collect();
        prop_assert_eq!(Some(joined.as_slice()), all.names());
        prop_assert!(joined.windows(2).all(|pair| pair[0] < pair[1]));
        let sizes = groups.iter().map(|group| of_group(group).len());
        prop_assert!(sizes.into_iter().all(|size| (1..=most.max(1)).contains(&size)));
    }

    #[test]
    fn a_request_survives_its_text(symbols in prop::collection::vec("[ -~]{1,9}", 1..5)) {
        for symbols in [Symbols::named(symbols.clone()), Symbols::ALL] {
            let request = ask(Schema::Trades, SType::RawSymbol, &symbols);
            let read: RangeRequest = serde_json::from_str(&request.canonical()).expect("JSON");
            prop_assert_eq!(read.canonical(), request.canonical());
            prop_assert_eq!(read, request);
        }
    }
}
