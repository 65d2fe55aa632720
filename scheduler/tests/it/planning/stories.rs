//! What the planner does, case by case.

use super::*;

fn pieces(found: Missing) -> Vec<(Symbols, DayRange)> {
    let pieces = found.pieces.into_iter();
    pieces.map(|piece| (piece.symbols, piece.days)).collect()
}

#[test]
fn where_nothing_is_known_all_symbols_go_together() {
    let known = Known {
        resolution: meaning([
            ("A", vec![window(1, days(0, 12))]),
            ("B", vec![window(2, days(5, 7))]),
            ("C", vec![]),
        ]),
        ..Known::default()
    };
    let whole = plan(&request(named(&["A", "B", "C"]), 2_000), &known);
    assert_eq!(pieces(whole), [(named(&["A", "B", "C"]), asked())]);
    let in_twos = plan(&request(named(&["A", "B", "C"]), 2), &known);
    assert_eq!(
        pieces(in_twos),
        [(named(&["A", "B"]), asked()), (named(&["C"]), asked())]
    );
}

#[test]
fn a_symbol_that_is_new_is_planned_without_those_that_are_held() {
    let known = Known {
        resolution: meaning([
            ("A", vec![window(1, asked())]),
            ("B", vec![window(2, asked())]),
        ]),
        held: vec![(slice(Some(1), asked().span()), ChunkId(7))],
        ..Known::default()
    };
    let found = plan(&request(named(&["A", "B"]), 2_000), &known);
    assert_eq!(found.covered, [ChunkId(7)].into());
    assert_eq!(pieces(found), [(named(&["B"]), asked())]);
}

#[test]
fn a_day_of_which_an_instant_is_free_is_planned_whole() {
    let noon = Nanos(day(5).start().0 + 2 * QUARTER);
    let before = Span {
        start: day(0).start(),
        end: noon,
    };
    let after = Span {
        start: Nanos(noon.0 + 1),
        end: day(12).start(),
    };
    let known = Known {
        resolution: meaning([("A", vec![window(1, asked())])]),
        held: vec![
            (slice(Some(1), before), ChunkId(7)),
            (slice(None, after), ChunkId(8)),
        ],
        ..Known::default()
    };
    let found = plan(&request(named(&["A"]), 2_000), &known);
    assert_eq!(found.covered, [ChunkId(7), ChunkId(8)].into());
    assert_eq!(pieces(found), [(named(&["A"]), days(5, 6))]);
}

#[test]
fn symbols_that_miss_the_same_days_go_together() {
    let resolution = meaning([
        ("A", vec![window(1, asked())]),
        ("B", vec![window(2, asked())]),
        ("C", vec![window(3, asked())]),
    ]);
    let first_half = days(2, 6).span();
    let held = [1, 2].map(|id| (slice(Some(id), first_half), ChunkId(7)));
    let known = Known {
        resolution,
        held: held.into(),
        ..Known::default()
    };
    let found = plan(&request(named(&["A", "B", "C"]), 2_000), &known);
    let wanted = [(named(&["C"]), asked()), (named(&["A", "B"]), days(6, 10))];
    assert_eq!(pieces(found), wanted);
}

#[test]
fn all_symbols_are_covered_by_slices_of_all_symbols_alone() {
    let known = Known {
        held: vec![
            (slice(Some(1), asked().span()), ChunkId(7)),
            (slice(None, days(4, 6).span()), ChunkId(8)),
        ],
        ..Known::default()
    };
    let found = plan(&request(Symbols::ALL, 2_000), &known);
    assert_eq!(found.covered, [ChunkId(8)].into());
    let wanted = [(Symbols::ALL, days(2, 4)), (Symbols::ALL, days(6, 10))];
    assert_eq!(pieces(found), wanted);
}
