//! Chunks of the right size: the cutter's rules as properties, and how few questions it takes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use common::money::Usd;
use common::source::{Answer, Pieces, Source, SourceError, Uncovered};
use common::vendor::{DayCondition, RangeRequest};
use scheduler::plan::cut::{Cutting, Part, Parts};

use super::*;

/// Counts by instrument and day, and knows which symbol means which instrument.
#[derive(Debug)]
struct Counts {
    instruments: BTreeMap<String, u32>,
    records: BTreeMap<(u32, Day), u64>,
    questions: AtomicU64,
}

impl Counts {
    fn new(instruments: BTreeMap<String, u32>, records: BTreeMap<(u32, Day), u64>) -> Self {
        Self {
            instruments,
            records,
            questions: AtomicU64::new(0),
        }
    }

    fn count(&self, symbols: &Symbols, span: Span) -> u64 {
        let names = symbols.names();
        let ids = names.map(|names| {
            let ids = names.iter().filter_map(|name| self.instruments.get(name));
            ids.collect::<BTreeSet<_>>()
        });
        let asked = self.records.iter().filter(|((id, day), _)| {
            span.contains(day.start()) && ids.as_ref().is_none_or(|ids| ids.contains(id))
        });
        asked.map(|(_, records)| records).sum()
    }

    fn resolution(&self) -> Resolution {
        let windows = self.instruments.iter().map(|(name, id)| {
            let windows = vec![window(*id, asked())];
            (name.clone(), windows)
        });
        Resolution {
            windows: windows.collect(),
        }
    }
}

fn unasked<'a, T>() -> Answer<'a, T> {
    Box::pin(async { unreachable!("a cut asks for counts alone") })
}

impl Source for Counts {
    fn datasets(&self) -> Answer<'_, Vec<String>> {
        unasked()
    }

    fn schemas<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<Schema>> {
        unasked()
    }

    fn available<'a>(&'a self, _: &'a str, _: Schema) -> Answer<'a, Span> {
        unasked()
    }

    fn conditions<'a>(&'a self, _: &'a str, _: DayRange) -> Answer<'a, Vec<DayCondition>> {
        unasked()
    }

    fn uncovered<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>> {
        unasked()
    }

    fn caveat(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: SType,
        _: &'a [String],
        _: DayRange,
    ) -> Answer<'a, Resolution> {
        unasked()
    }

    fn record_count<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let count = self.count(&request.symbols, request.span);
        Box::pin(async move { Ok(count) })
    }

    fn billable_bytes<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, u64> {
        unasked()
    }

    fn cost<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Usd> {
        unasked()
    }

    fn get_range<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>> {
        unasked()
    }

    fn origin(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }
}

fn request_of(symbols: Symbols, most: u64) -> Request {
    let mut request = request(symbols, 2_000);
    request.chunking.length = ChunkLength::Records(most);
    request
}

fn cut_schema(counts: &Counts, request: &Request, schema: Schema) -> Parts {
    let resolution = counts.resolution();
    let cutting = Cutting {
        request,
        source: counts,
        resolution: &resolution,
    };
    let piece = Piece {
        schema,
        symbols: request.symbols.clone(),
        days: request.days,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(cutting.parts(&piece, piece.days)).unwrap()
}

fn cut(counts: &Counts, request: &Request) -> Parts {
    cut_schema(counts, request, Schema::Trades)
}

fn names() -> Vec<String> {
    (0..12).map(|number| format!("S{number:02}")).collect()
}

/// Twelve symbols of up to nine instruments, some of which mean the same one and some nothing; most
/// days are small, some are not.
fn some_counts() -> impl Strategy<Value = Counts> {
    let instruments = prop::collection::vec(prop::option::weighted(0.85, 1_u32..10), 12);
    let day_count = prop_oneof![3 => Just(0_u64), 6 => 1_u64..40, 2 => 40_u64..400];
    let counts = prop::collection::vec(day_count, 9 * 8);
    (instruments, counts).prop_map(|(instruments, counts)| {
        let instruments = names().into_iter().zip(instruments);
        let instruments = instruments.filter_map(|(name, id)| Some((name, id?)));
        let cells = (1..10).flat_map(|id| each_day(asked()).map(move |day| (id, day)));
        Counts::new(instruments.collect(), cells.zip(counts).collect())
    })
}

/// Whether a part can be cut any further: of more days than one, or of more symbols with a meaning.
fn is_smallest(part: &Part, counts: &Counts) -> bool {
    let names = part.symbols.names().unwrap_or_default();
    let known = names
        .iter()
        .filter(|name| counts.instruments.contains_key(*name));
    part.days.len_days() == 1 && known.count() <= 1
}

proptest! {
    #![proptest_config(Config { cases: 200, ..config() })]

    #[test]
    fn every_symbols_day_is_in_one_chunk_and_each_chunk_is_of_the_right_size(
        counts in some_counts(),
        most in 1_u64..600,
    ) {
        let request = request_of(Symbols::named(names()), most);
        let parts = cut(&counts, &request);
        let pieces: Vec<_> = parts.list.iter().map(|part| Piece {
            schema: Schema::Trades,
            symbols: part.symbols.clone(),
            days: part.days,
        }).collect();
        let planned = symbols_and_days(&pieces);
        let once: BTreeSet<_> = planned.iter().cloned().collect();
        let wanted = names().into_iter().flat_map(|name| {
            each_day(asked()).map(move |day| (name.clone(), day))
        });
        prop_assert_eq!(planned.len(), once.len(), "twice in {:?}", parts.list);
        prop_assert_eq!(once, wanted.collect::<BTreeSet<_>>());
        prop_assert_eq!(parts.records, counts.count(&request.symbols, asked().span()));
        for part in &parts.list {
            prop_assert_eq!(part.records, counts.count(&part.symbols, part.days.span()));
            prop_assert!(part.records <= most || is_smallest(part, &counts), "{:?}", part);
        }
    }

    #[test]
    fn no_two_neighbours_would_fit_together(counts in some_counts(), most in 1_u64..600) {
        let list = cut(&counts, &request_of(Symbols::named(names()), most)).list;
        for one in &list {
            for other in &list {
                let touch = one.symbols == other.symbols && one.days.end() == other.days.start();
                prop_assert!(!touch || one.records + other.records > most, "{one:?} {other:?}");
            }
        }
        // Of one day, each part and the next in the order of symbols.
        for day in each_day(asked()) {
            let mut of_day: Vec<_> = list.iter().filter(|part| has(part.days, day)).collect();
            of_day.sort_by_key(|part| &part.symbols);
            for pair in of_day.windows(2).filter(|pair| pair[0].days == pair[1].days) {
                prop_assert!(pair[0].records + pair[1].records > most, "{pair:?}");
            }
        }
    }

    #[test]
    fn equal_answers_give_equal_chunks_in_any_order_of_symbols(
        counts in some_counts(),
        shuffled in Just(names()).prop_shuffle(),
        most in 1_u64..600,
    ) {
        let one = cut(&counts, &request_of(Symbols::named(names()), most));
        let other = cut(&counts, &request_of(Symbols::named(shuffled), most));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn no_cut_takes_more_questions_than_its_chunks_and_their_depth_explain(
        counts in some_counts(),
        most in 1_u64..600,
    ) {
        let parts = cut(&counts, &request_of(Symbols::named(names()), most));
        let questions = counts.questions.load(Ordering::Relaxed);
        // A busy symbol's day lies below three halvings of eight days and four of twelve symbols.
        let busy: usize = each_day(asked()).filter(|day| {
            let days = DayRange::new(*day, day.plus(1)).unwrap();
            counts.count(&Symbols::named(names()), days.span()) > most
        }).count();
        let bound = 1 + 7 + busy * (2 * 11 + 11);
        prop_assert!(questions <= u64::try_from(bound).unwrap(), "{questions} of {:?}", parts);
    }

    #[test]
    fn all_symbols_are_cut_by_days_alone(counts in some_counts(), most in 1_u64..600) {
        let parts = cut(&counts, &request_of(Symbols::ALL, most));
        for part in &parts.list {
            prop_assert_eq!(&part.symbols, &Symbols::ALL);
            prop_assert!(part.records <= most || part.days.len_days() == 1, "{:?}", part);
        }
        let days: i64 = parts.list.iter().map(|part| part.days.len_days()).sum();
        prop_assert_eq!(days, asked().len_days());
    }
}

/// Symbols that mean one instrument each, with so many records a day, over a quarter of a year.
fn quarter(symbols: u32, records: impl Fn(u32, Day) -> u64) -> (Counts, Request) {
    let names: Vec<_> = (0..symbols).map(|number| format!("S{number:04}")).collect();
    let mut request = request_of(Symbols::named(names.clone()), 1_000_000);
    request.days = days(0, 91);
    let cells = (0..symbols).flat_map(|id| each_day(days(0, 91)).map(move |day| (id, day)));
    let cells = cells.map(|(id, day)| ((id, day), records(id, day)));
    let counts = Counts::new(names.into_iter().zip(0..).collect(), cells.collect());
    (counts, request)
}

#[test]
fn a_quarter_of_two_thousand_small_symbols_is_one_chunk_and_one_question() {
    let (counts, request) = quarter(2_000, |_, _| 5);
    let parts = cut(&counts, &request);
    assert_eq!(parts.list.len(), 1);
    assert_eq!(parts.records, 2_000 * 91 * 5);
    assert_eq!(counts.questions.load(Ordering::Relaxed), 1);
}

#[test]
fn a_busy_day_stands_alone_and_the_small_ones_beside_it_stay_together() {
    let (counts, request) = quarter(1, |_, date| match date == day(40) {
        true => 3_000_000,
        false => 1_000,
    });
    let parts = cut(&counts, &request);
    let found: Vec<_> = parts.list.iter().map(|part| part.days).collect();
    assert_eq!(found, [days(0, 40), days(40, 41), days(41, 91)]);
    // Seven halvings of 91 days lead to one.
    assert!(counts.questions.load(Ordering::Relaxed) <= 1 + 7);
}

#[test]
fn a_busy_symbol_stands_alone_day_by_day_and_the_others_stay_together() {
    let mut pair = quarter(2, |id, _| match id {
        0 => 3_000_000,
        _ => 10,
    });
    pair.1.days = days(2, 10);
    let parts = cut(&pair.0, &pair.1);
    let busy = parts.list.iter().filter(|part| part.records == 3_000_000);
    assert_eq!(busy.count(), 8);
    let small: Vec<_> = parts
        .list
        .iter()
        .filter(|part| part.records < 100)
        .collect();
    assert_eq!(small.len(), 1, "{small:?}");
    assert_eq!(
        (&small[0].symbols, small[0].days),
        (&named(&["S0001"]), days(2, 10))
    );
}

#[test]
fn definitions_that_are_asked_for_whole_are_one_day_each() {
    let (counts, mut request) = quarter(3, |_, _| 1);
    for stype_in in [SType::Continuous, SType::RawSymbol] {
        request.stype_in = stype_in;
        let parts = cut_schema(&counts, &request, Schema::Definition);
        let by_day = stype_in == SType::Continuous;
        assert_eq!(parts.list.len(), if by_day { 91 } else { 1 }, "{stype_in}");
    }
    request.symbols = Symbols::ALL;
    request.chunking.length = ChunkLength::Days(30);
    assert_eq!(
        cut_schema(&counts, &request, Schema::Definition).list.len(),
        91
    );
    assert_eq!(cut(&counts, &request).list.len(), 4);
}
