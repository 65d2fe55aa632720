//! The planner's properties: nothing is planned twice, nothing that is missing is left out.
//!
//! The rule, for named symbols. A symbol's day is *missing* when the symbol means an instrument on
//! that day of which no chunk holds some instant, and neither an outstanding chunk of the job nor
//! one that was found empty has the symbol on that day. A symbol is *untouched* when all days on
//! which it means something are missing. Planned are exactly the missing days and, for untouched
//! symbols, also the days on which any other untouched symbol means something: the vendor answers
//! for many symbols at once, and for one that means nothing there is nothing to answer or to pay.

pub mod rule;
mod sizes;
mod stories;

use std::collections::{BTreeMap, BTreeSet};

use common::chunk::ChunkId;
use common::request::{ChunkLength, Chunking, JobSource, Request, Symbols};
use common::store::Held;
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::{Resolution, SymbolWindow};
use dbn::{SType, Schema};
use proptest::prelude::*;
use proptest::test_runner::Config;
use scheduler::plan::missing::{Known, Missing, Piece, missing};

use self::rule::Rule;

/// Slices end anywhere within a day; the finest that the properties look at.
const QUARTER: i64 = 6 * 3_600_000_000_000;
const SYMBOLS: [&str; 5] = ["A", "B", "C", "D", "E"];

fn day(number: i64) -> Day {
    Day::from_ymd(2024, 1, 1).expect("a day").plus(number)
}

fn days(start: i64, end: i64) -> DayRange {
    DayRange::new(day(start), day(end)).expect("at least one day")
}

/// The days that are asked for; windows and slices reach beyond them.
pub fn asked() -> DayRange {
    days(2, 10)
}

pub fn each_day(range: DayRange) -> impl Iterator<Item = Day> {
    range.pieces(1).map(DayRange::start)
}

fn has(range: DayRange, day: Day) -> bool {
    range.start() <= day && day < range.end()
}

fn named(names: &[&str]) -> Symbols {
    Symbols::named(names.iter().map(|name| (*name).to_owned()).collect())
}

fn request(symbols: Symbols, symbols_max: usize) -> Request {
    Request {
        name: "a job".to_owned(),
        dataset: "GLBX.MDP3".to_owned(),
        schemas: vec![Schema::Trades],
        symbols,
        stype_in: SType::Continuous,
        days: asked(),
        chunking: Chunking {
            length: ChunkLength::Days(1),
            symbols_max,
        },
        priority: 0,
        max_cost: None,
        quality: common::quality::Quality::default(),
        source: JobSource::Vendor,
    }
}

fn plan(request: &Request, known: &Known) -> Missing {
    missing(request, Schema::Trades, request.days, known)
}

fn slice(instrument_id: Option<u32>, span: Span) -> Held {
    Held {
        instrument_id,
        span,
    }
}

fn window(instrument_id: u32, days: DayRange) -> SymbolWindow {
    SymbolWindow {
        instrument_id,
        days,
    }
}

fn meaning<const N: usize>(windows: [(&str, Vec<SymbolWindow>); N]) -> Resolution {
    let windows = windows.map(|(symbol, windows)| (symbol.to_owned(), windows));
    Resolution {
        windows: windows.into(),
    }
}

prop_compose! {
    fn some_days()(start in 0_i64..11, length in 1_i64..7) -> DayRange {
        days(start, (start + length).min(12))
    }
}

prop_compose! {
    fn some_span()(start in 0_i64..46, length in 1_i64..24) -> Span {
        let start = Nanos(day(0).start().0 + start * QUARTER);
        Span { start, end: Nanos(start.0 + length * QUARTER) }
    }
}

fn some_symbols() -> impl Strategy<Value = Symbols> {
    let some = prop::sample::subsequence(SYMBOLS.to_vec(), 1..=3);
    prop_oneof![9 => some.prop_map(|names| named(&names)), 1 => Just(Symbols::ALL)]
}

fn some_windows() -> impl Strategy<Value = Resolution> {
    let window = (1_u32..6, some_days()).prop_map(|(id, days)| window(id, days));
    let windows = prop::collection::vec(window, 0..4);
    prop::collection::vec(windows, SYMBOLS.len()).prop_map(|all| Resolution {
        windows: SYMBOLS.map(str::to_owned).into_iter().zip(all).collect(),
    })
}

prop_compose! {
    pub fn some_known()(
        resolution in some_windows(),
        held in prop::collection::vec((prop::option::weighted(0.85, 1_u32..6), some_span()), 0..6),
        empty in prop::collection::vec((some_symbols(), some_days()), 0..3),
        outstanding in prop::collection::vec((some_symbols(), some_days()), 0..3),
    ) -> Known {
        let held = held.into_iter().map(|(id, span)| slice(id, span));
        let empty = (100..).map(ChunkId).zip(empty);
        Known {
            resolution,
            held: held.zip((1..).map(ChunkId)).collect(),
            empty: empty.map(|(chunk, (symbols, days))| (chunk, symbols, days)).collect(),
            outstanding,
            uncovered: Vec::new(),
        }
    }
}

pub fn some_request() -> impl Strategy<Value = Request> {
    let some = prop::sample::subsequence(SYMBOLS.to_vec(), 1..=SYMBOLS.len());
    let named = (some, 1_usize..6).prop_map(|(names, most)| request(named(&names), most));
    prop_oneof![5 => named, 1 => Just(request(Symbols::ALL, 2_000))]
}

/// The symbols and days of the pieces; twice, when they are planned twice.
fn symbols_and_days(pieces: &[Piece]) -> Vec<(String, Day)> {
    let of_piece = |piece: &Piece| {
        let names = match piece.symbols.names() {
            Some(names) => names.to_vec(),
            None => vec!["ALL_SYMBOLS".to_owned()],
        };
        let days: Vec<_> = each_day(piece.days).collect();
        let with_days = |name: String| {
            let days = days.clone();
            days.into_iter().map(move |day| (name.clone(), day))
        };
        names.into_iter().flat_map(with_days).collect::<Vec<_>>()
    };
    pieces.iter().flat_map(of_piece).collect()
}

pub fn config() -> Config {
    Config {
        cases: 1_000,
        failure_persistence: None,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn exactly_what_the_rule_says_is_planned_and_no_symbols_day_twice(
        request in some_request(),
        known in some_known(),
    ) {
        let found = plan(&request, &known);
        let planned = symbols_and_days(&found.pieces);
        let once: BTreeSet<_> = planned.iter().cloned().collect();
        prop_assert_eq!(once.len(), planned.len(), "twice in {:?}", found.pieces);
        prop_assert_eq!(once, Rule { request: &request, known: &known }.planned());
    }

    #[test]
    fn no_instant_that_nobody_holds_or_works_on_is_left_out(
        request in some_request(),
        known in some_known(),
    ) {
        let rule = Rule { request: &request, known: &known };
        let planned = symbols_and_days(&plan(&request, &known).pieces);
        for symbol in rule.symbols() {
            for day in each_day(request.days).filter(|day| rule.is_missing(symbol, *day)) {
                let wanted = (symbol.to_owned(), day);
                prop_assert!(planned.contains(&wanted), "{:?} of {:?}", wanted, planned);
            }
        }
    }

    #[test]
    fn what_is_held_is_planned_for_no_symbol_that_is_touched(
        request in some_request(),
        known in some_known(),
    ) {
        let rule = Rule { request: &request, known: &known };
        for (symbol, day) in symbols_and_days(&plan(&request, &known).pieces) {
            let meant = rule.meant_days(&symbol);
            let untouched = meant.iter().all(|day| rule.is_missing(&symbol, *day));
            prop_assert!(untouched || rule.is_missing(&symbol, day), "{} on {}", symbol, day);
            // Even beside others, an untouched symbol is never asked for what is held of it.
            prop_assert!(!meant.contains(&day) || rule.is_missing(&symbol, day));
        }
    }

    #[test]
    fn pieces_are_of_the_request_and_no_larger_than_asked(
        request in some_request(),
        known in some_known(),
    ) {
        for piece in plan(&request, &known).pieces {
            prop_assert_eq!(piece.schema, Schema::Trades);
            prop_assert_eq!(piece.days.intersection(request.days), Some(piece.days));
            match (piece.symbols.names(), request.symbols.names()) {
                (None, None) => {}
                (Some(names), Some(asked)) => {
                    prop_assert!(!names.is_empty() && names.len() <= request.chunking.symbols_max);
                    prop_assert!(names.is_sorted());
                    prop_assert!(names.iter().all(|name| asked.contains(name)));
                }
                mixed => prop_assert!(false, "{:?}", mixed),
            }
        }
    }

    #[test]
    fn while_a_plan_is_worked_on_nothing_more_is_planned(
        request in some_request(),
        mut known in some_known(),
    ) {
        let pieces = plan(&request, &known).pieces;
        known.outstanding.extend(pieces.into_iter().map(|piece| (piece.symbols, piece.days)));
        prop_assert_eq!(plan(&request, &known).pieces, []);
    }

    #[test]
    fn once_a_plan_is_loaded_nothing_more_is_planned(
        request in some_request(),
        mut known in some_known(),
    ) {
        let chunks: Vec<_> = (1_000..).map(ChunkId).zip(plan(&request, &known).pieces).collect();
        for (chunk, piece) in &chunks {
            known.held.extend(loaded(piece, &known.resolution).map(|held| (held, *chunk)));
        }
        let again = plan(&request, &known);
        prop_assert_eq!(again.pieces, []);
        // A chunk of symbols that meant nothing on its days holds nothing, and covers nothing.
        let holders: BTreeSet<_> = known.held.iter().map(|(_, chunk)| *chunk).collect();
        for (chunk, _) in chunks {
            prop_assert_eq!(again.covered.contains(&chunk), holders.contains(&chunk));
        }
    }

    #[test]
    fn once_a_plan_is_found_empty_nothing_more_is_planned(
        request in some_request().prop_filter("named", |request| request.symbols != Symbols::ALL),
        mut known in some_known(),
    ) {
        let pieces = plan(&request, &known).pieces.into_iter();
        let empty = pieces.map(|piece| (ChunkId(1_000), piece.symbols, piece.days));
        known.empty.extend(empty);
        prop_assert_eq!(plan(&request, &known).pieces, []);
    }

    #[test]
    fn a_plan_carried_out_in_part_plans_the_rest(
        request in some_request(),
        mut known in some_known(),
        done in prop::collection::vec(any::<bool>(), 64),
    ) {
        let pieces = plan(&request, &known).pieces;
        for (piece, _) in pieces.iter().zip(done).filter(|(_, done)| *done) {
            let slices = loaded(piece, &known.resolution);
            known.held.extend(slices.map(|held| (held, ChunkId(1_000))));
        }
        let again = symbols_and_days(&plan(&request, &known).pieces);
        let again: BTreeSet<_> = again.into_iter().collect();
        prop_assert_eq!(again, Rule { request: &request, known: &known }.planned());
    }

    #[test]
    fn the_order_of_what_is_known_changes_nothing(
        request in some_request(),
        (known, shuffled) in known_in_two_orders(),
    ) {
        prop_assert_eq!(plan(&request, &known), plan(&request, &shuffled));
    }

    #[test]
    fn the_chunks_that_cover_parts_of_the_request_are_named(
        request in some_request(),
        known in some_known(),
    ) {
        let rule = Rule { request: &request, known: &known };
        let mut wanted = BTreeSet::new();
        for symbol in rule.symbols() {
            for day in each_day(request.days) {
                for id in rule.instruments(symbol, day) {
                    let span = DayRange::new(day, day.plus(1)).expect("one day").span();
                    let holders = known.held.iter().filter(|(held, _)| {
                        (held.instrument_id.is_none() || held.instrument_id == id)
                            && held.span.intersection(span).is_some()
                    });
                    wanted.extend(holders.map(|(_, chunk)| *chunk));
                }
            }
            let all = request.symbols == Symbols::ALL;
            let empty = known.empty.iter().filter(|(_, symbols, _)| match symbols.names() {
                Some(names) => names.iter().any(|name| name == symbol),
                None => all,
            });
            wanted.extend(empty.map(|(chunk, ..)| *chunk));
        }
        prop_assert_eq!(plan(&request, &known).covered, wanted);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_the_source_does_not_have_waits_and_the_rest_is_planned(
        request in some_request(),
        mut known in some_known(),
        uncovered in prop::collection::vec((some_symbols(), some_days()), 0..4),
    ) {
        let all = request.symbols == Symbols::ALL;
        known.uncovered = uncovered;
        if all {
            known.uncovered.retain(|(symbols, _)| *symbols == Symbols::ALL);
        }
        let rule = Rule { request: &request, known: &known };
        let is_uncovered = |symbol: &str, day: Day| {
            known.uncovered.iter().any(|(symbols, days)| {
                let names = symbols.names();
                names.is_none_or(|names| names.iter().any(|name| name == symbol)) && has(*days, day)
            })
        };
        let found = plan(&request, &known);
        let waiting = symbols_and_days(&found.waiting);
        let mut wanted = BTreeSet::new();
        for symbol in rule.symbols() {
            for day in each_day(request.days) {
                let meaningless = rule.instruments(symbol, day).is_empty();
                let missing = rule.is_missing(symbol, day)
                    || (meaningless && !rule.is_taken(symbol, day));
                if missing && is_uncovered(symbol, day) {
                    wanted.insert((symbol.to_owned(), day));
                }
            }
        }
        prop_assert_eq!(waiting.len(), wanted.len());
        prop_assert_eq!(waiting.into_iter().collect::<BTreeSet<_>>(), wanted);
        let planned: BTreeSet<_> = symbols_and_days(&found.pieces).into_iter().collect();
        for (symbol, day) in &planned {
            prop_assert!(!is_uncovered(symbol, *day), "{} {}", symbol, day);
        }
        for symbol in rule.symbols() {
            for day in each_day(request.days) {
                if rule.is_missing(symbol, day) && !is_uncovered(symbol, day) {
                    prop_assert!(planned.contains(&(symbol.to_owned(), day)));
                }
            }
        }
    }
}

/// The slices that a chunk of this piece holds once it is loaded.
fn loaded(piece: &Piece, resolution: &Resolution) -> impl Iterator<Item = Held> {
    let slices = match piece.symbols.names() {
        None => vec![slice(None, piece.days.span())],
        Some(names) => {
            let windows = names.iter().filter_map(|name| resolution.windows.get(name));
            let within = |window: &SymbolWindow| {
                let days = window.days.intersection(piece.days)?;
                Some(slice(Some(window.instrument_id), days.span()))
            };
            windows.flatten().filter_map(within).collect()
        }
    };
    slices.into_iter()
}

fn known_in_two_orders() -> impl Strategy<Value = (Known, Known)> {
    some_known().prop_flat_map(|known| (Just(known.clone()), in_any_order(known)))
}

fn in_any_order(known: Known) -> impl Strategy<Value = Known> {
    let windows: Vec<_> = known.resolution.windows.into_iter().collect();
    let shuffled: Vec<_> = windows
        .into_iter()
        .map(|(symbol, windows)| (Just(symbol), Just(windows).prop_shuffle()))
        .collect();
    (
        shuffled,
        Just(known.held).prop_shuffle(),
        Just(known.empty).prop_shuffle(),
        Just(known.outstanding).prop_shuffle(),
    )
        .prop_map(|(windows, held, empty, outstanding)| Known {
            resolution: Resolution {
                windows: windows.into_iter().collect::<BTreeMap<_, _>>(),
            },
            held,
            empty,
            outstanding,
            uncovered: Vec::new(),
        })
}
