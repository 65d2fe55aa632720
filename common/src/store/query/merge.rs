//! Ranges merged by time: pages of each, as far as the merge has come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::statement::{ROWS_PER_STATEMENT, statement, tuples};
use super::cell::{number, time};
use super::definitions::{Attribute, changes};
use super::page::{Key, Pages};
use super::ranges::Range;
use crate::query::{Order, Query, Row};
use crate::time::Nanos;

/// Values that lie in memory at most, over all ranges.
const VALUES_MAX: usize = 1 << 18;
/// Rows of a range's first page: few, so that they come at once.
const FIRST_PAGE: usize = 64;
/// Rows of a page at most, and at least: of many ranges each has few.
const PAGE_MAX: usize = 4_096;
const PAGE_MIN: usize = 4;
/// With more ranges than this, it is asked first when each begins: most need not be opened yet.
const RANGES_UNASKED: usize = 8;

/// The rows of all ranges, in order.
#[derive(Debug)]
pub(crate) struct Merge {
    /// Open until the last row was given.
    snapshot: Option<Transaction>,
    pages: Pages,
    sources: Vec<Source>,
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    descending: bool,
    /// Rows that may still be given.
    left: u64,
    /// Sources that have been begun and not ended, and the rows in memory.
    open: usize,
    in_memory: usize,
}

#[derive(Debug)]
struct Source {
    range: Range,
    rows: VecDeque<(Key, Row)>,
    after: Key,
    /// Rows of the next page; 0 before the first.
    page: usize,
    /// Whether the last page was the last.
    ended: bool,
}

impl Merge {
    pub(super) async fn new(
        mut snapshot: Transaction,
        pages: Pages,
        ranges: Vec<Range>,
        query: &Query,
    ) -> Result<Self, StoreError> {
        let descending = query.order == Order::Descending;
        let mut beginnings: Vec<Option<Key>> = Vec::with_capacity(ranges.len());
        if ranges.len() > RANGES_UNASKED {
            for some in ranges.chunks(ROWS_PER_STATEMENT) {
                let table = crate::query::table(query.schema);
                let asked =
                    ask_beginnings(&mut snapshot, table, pages.index_time(), some, descending);
                beginnings.extend(asked.await?);
            }
        } else {
            beginnings.extend(ranges.iter().map(|range| Some(pages.start_of(range))));
        }
        let mut merge = Self {
            snapshot: Some(snapshot),
            pages,
            sources: Vec::new(),
            heads: BinaryHeap::new(),
            descending,
            left: query.limit.unwrap_or(u64::MAX),
            open: 0,
            in_memory: 0,
        };
        for (range, beginning) in ranges.into_iter().zip(beginnings) {
            let Some(beginning) = beginning else { continue };
            let after = merge.pages.start_of(&range);
            merge.put(beginning, merge.sources.len());
            merge.sources.push(Source {
                range,
                rows: VecDeque::new(),
                after,
                page: 0,
                ended: false,
            });
        }
        Ok(merge)
    }

    /// The next row; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Row>, StoreError> {
        while self.left > 0 {
            let Some(Reverse((_, number))) = self.heads.pop() else {
                break;
            };
            let source = &mut self.sources[number];
            if let Some((key, row)) = source.rows.pop_front() {
                self.in_memory -= 1;
                self.left -= 1;
                // Where the page is used up, nothing comes before what was given last.
                let next = source.rows.front().map_or(key, |(next, _)| *next);
                self.put_unless_ended(next, number);
                return Ok(Some(row));
            }
            self.read_page(number).await?;
            if let Some((first, _)) = self.sources[number].rows.front() {
                let first = *first;
                self.put(first, number);
            }
        }
        if let Some(snapshot) = self.snapshot.take() {
            snapshot.rollback().await?;
        }
        Ok(None)
    }

    /// Rows in memory now.
    pub(crate) fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// How the database reads the first range.
    pub(crate) async fn explain(&mut self) -> Result<Vec<String>, StoreError> {
        match (self.sources.first(), &mut self.snapshot) {
            (Some(source), Some(snapshot)) => self.pages.explain(snapshot, &source.range).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn read_page(&mut self, number: usize) -> Result<(), StoreError> {
        let Some(snapshot) = &mut self.snapshot else {
            return Ok(());
        };
        let source = &mut self.sources[number];
        if source.page == 0 {
            self.open += 1;
            if let Some(dataset) = source.range.unlabelled.take() {
                let instrument = [source.range.instrument];
                let changes = changes(snapshot, Attribute::RawSymbol, &instrument).await?;
                source.range.label(&dataset, &changes);
            }
        }
        let fair = VALUES_MAX / self.pages.width().max(1) / self.open.max(1);
        let wanted = (source.page * 4).max(FIRST_PAGE);
        source.page = wanted.min(fair).clamp(PAGE_MIN, PAGE_MAX);
        let limit = source
            .page
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self
            .pages
            .read(snapshot, &source.range, source.after, limit);
        let rows = read.await?;
        source.ended = rows.len() < limit;
        self.in_memory += rows.len();
        self.open -= usize::from(source.ended);
        if let Some((last, _)) = rows.last() {
            source.after = *last;
        }
        source.rows = rows.into();
        Ok(())
    }

    fn put_unless_ended(&mut self, key: Key, number: usize) {
        let source = &self.sources[number];
        if !source.ended || !source.rows.is_empty() {
            self.put(key, number);
        }
    }

    fn put(&mut self, key: Key, number: usize) {
        // Bits turned over turn the order over, without an overflow.
        let place = match self.descending {
            false => key,
            true => (!key.0, !key.1, !key.2),
        };
        self.heads.push(Reverse((place, number)));
    }
}

/// The time of each range's first row in order, or an instant before it; `None` where there is no row.
async fn ask_beginnings(
    on: &mut Transaction,
    table: &str,
    index_time: &str,
    ranges: &[Range],
    descending: bool,
) -> Result<Vec<Option<Key>>, StoreError> {
    let postgres = matches!(on, Transaction::Postgres(_));
    // In whole microseconds, which the index of `PostgreSQL` knows; a little too early does no harm.
    let unit = if postgres { 1_000 } else { 1 };
    let bound = |name: &str| match postgres {
        true => format!("timestamptz 'epoch' + r.{name} * interval '1 microsecond'"),
        false => format!("r.{name}"),
    };
    let direction = if descending { "DESC" } else { "ASC" };
    let sql = format!(
        "WITH r (number, instrument, first, last) AS (VALUES {})
         SELECT r.number, (SELECT t.{index_time} FROM {table} AS t
             WHERE t.instrument_id = r.instrument AND t.{index_time} >= {}
                 AND t.{index_time} <= {} ORDER BY t.{index_time} {direction} LIMIT 1), 0
         FROM r",
        tuples(1, ranges.len(), 4),
        bound("first"),
        bound("last"),
    );
    let mut asked = statement(sql);
    for (number, range) in (0_i64..).zip(ranges) {
        let cut = |time: Nanos| time.0.div_euclid(unit);
        asked = asked.bind(number).bind(range.instrument);
        asked = asked.bind(cut(range.span.start)).bind(cut(range.span.end));
    }
    let mut beginnings = vec![None; ranges.len()];
    for row in asked.fetch_all(on).await? {
        let place = usize::try_from(number(&row, 0)?.unwrap_or(-1));
        let found = time(&row, 1)?.map(|time| match descending {
            false => (time, -1, -1),
            true => (time.saturating_add(unit), -1, -1),
        });
        if let Some(beginning) = place.ok().and_then(|place| beginnings.get_mut(place)) {
            *beginning = found;
        }
    }
    Ok(beginnings)
}
