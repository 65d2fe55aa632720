//! The map and the planner never contradict each other: a day is a gap exactly when the planner finds
//! that it is missing.

use std::collections::{BTreeSet, HashMap};

use common::chunk::{ChunkId, ChunkState, JobId};
use common::request::Symbols;
use common::standing::Evidence;
use common::store::coverage::own_slices;
use common::store::{AskedChunk, AskedChunks, Held, RecordedDays, Slice};
use common::time::Day;
use dbn::Schema;
use proptest::prelude::*;
use scheduler::coverage::{ALL_SYMBOLS, Cell, Rows, SchemaMap};
use scheduler::plan::missing::Known;

use crate::planning::rule::Rule;
use crate::planning::{asked, config, each_day, some_known, some_request};

/// The map of what the planner knows, each slice with every second day marked.
fn map(request: &common::request::Request, known: &Known) -> SchemaMap {
    let slice = |held: &Held| {
        let mut days = RecordedDays::none(held.span);
        let touched = held.span.whole_days().into_iter().flat_map(each_day);
        for day in touched.step_by(2) {
            days.mark(day.start());
        }
        let days = Some(days);
        Slice { held: *held, days }
    };
    let chunk = |(symbols, days): &(Symbols, _)| AskedChunks {
        stype_in: request.stype_in,
        // A job of every instrument has no other chunks.
        symbols: match request.symbols {
            Symbols::All(_) => Symbols::ALL,
            Symbols::Named(_) => symbols.clone(),
        },
        chunks: vec![AskedChunk {
            id: ChunkId(1_000),
            job: JobId(1),
            days: *days,
            state: ChunkState::Pending,
        }],
    };
    let empty = known.empty.iter();
    let same_kind =
        |symbols: &Symbols| symbols.names().is_some() == request.symbols.names().is_some();
    let empty = empty.filter(|(_, symbols, _)| same_kind(symbols));
    SchemaMap {
        dataset: request.dataset.clone(),
        schema: Schema::Trades,
        stype_in: request.stype_in,
        days: request.days,
        names: Vec::new(),
        all_asked: true,
        evidence: Evidence {
            resolution: known.resolution.clone(),
            asked: vec![(request.symbols.clone(), request.days)],
            held: known.held.iter().map(|(held, _)| slice(held)).collect(),
            empty: empty
                .map(|(_, symbols, days)| (symbols.clone(), *days))
                .collect(),
            conditions: Vec::new(),
        },
        holders: HashMap::new(),
        chunks: known.outstanding.iter().map(chunk).collect(),
        uncovered: Vec::new(),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_day_is_a_gap_exactly_when_the_planner_would_plan_it(
        request in some_request(),
        mut known in some_known(),
    ) {
        // Slices of one instrument never overlap: the database sees to it.
        let held: Vec<_> = known.held.iter().map(|(held, _)| *held).collect();
        known.held = own_slices(&held, &[]).into_iter().zip((1..).map(ChunkId)).collect();
        if request.symbols.names().is_some() {
            // Nor has a job of named symbols chunks of every instrument.
            known.outstanding.retain(|(symbols, _)| symbols.names().is_some());
        }
        let map = map(&request, &known);
        let (rows, rule) = (Rows::of(&map), Rule { request: &request, known: &known });
        for symbol in rule.symbols() {
            let runs = rows.row(symbol);
            let all: Vec<Day> = runs.iter().flat_map(|run| each_day(run.days)).collect();
            prop_assert_eq!(&all, &each_day(asked()).collect::<Vec<_>>(), "each day is told once");
            let gaps = runs.iter().filter(|run| run.cell == Cell::Gap);
            let gaps: BTreeSet<_> = gaps.flat_map(|run| each_day(run.days)).collect();
            let missing = each_day(asked()).filter(|day| rule.is_missing(symbol, *day));
            prop_assert_eq!(gaps, missing.collect::<BTreeSet<_>>(), "{}", symbol);
        }
        prop_assert!(request.symbols.names().is_some() || rule.symbols() == [ALL_SYMBOLS]);
    }
}
