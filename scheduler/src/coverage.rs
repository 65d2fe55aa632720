//! Coverage: where each symbol's days stand, as a map that people and programs can read.
//!
//! The map is pure: `gather` brings what the database and the source know, and [`SchemaMap`] tells
//! from it alone. Rows are told one at a time, so that memory doesn't grow with the picture.

pub mod cell;
pub mod gather;
pub mod picture;
pub mod document;

use std::collections::HashMap;

pub use cell::{Cell, Counts};
use common::chunk::{ChunkId, ChunkState};
use common::request::Symbols;
use common::standing::{Evidence, Holding, OfSymbol, Standing, Standings};
use common::store::AskedChunks;
use common::time::{Day, DayRange, Nanos};
use common::vendor::Condition;
use dbn::{SType, Schema};

/// The row of every instrument of the dataset.
pub const ALL_SYMBOLS: &str = "ALL_SYMBOLS";

/// What is known of one schema's days, for symbols that are written alike.
#[derive(Debug)]
pub struct SchemaMap {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The UTC days of the map.
    pub days: DayRange,
    /// The rows, in order.
    pub names: Vec<String>,
    /// Whether every day of every row was asked for; else those of `chunks` were.
    pub all_asked: bool,
    /// By what days stand.
    pub evidence: Evidence,
    /// The chunks that hold the slices, by the slices' instruments and beginnings.
    pub holders: HashMap<(Option<u32>, Nanos), ChunkId>,
    /// The chunks that were asked for.
    pub chunks: Vec<AskedChunks>,
    /// Symbols and days that the source doesn't have.
    pub uncovered: Vec<(Symbols, DayRange)>,
}

/// Days that follow each other and stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The days.
    pub days: DayRange,
    /// Where they stand.
    pub cell: Cell,
    /// The chunks that hold them, found them empty, or are to bring them.
    pub chunks: Vec<ChunkId>,
}

/// Tells the rows of a map.
#[derive(Debug)]
pub struct Rows<'a> {
    map: &'a SchemaMap,
    standings: Standings<'a>,
    /// By symbol, which lists of chunks name it; and those of every symbol.
    lists: HashMap<&'a str, Vec<usize>>,
    lists_of_all: Vec<usize>,
}

/// What chunks say of a day: the one that says most.
#[derive(Clone, Copy, Debug)]
struct Asked {
    chunk: ChunkId,
    state: ChunkState,
}

impl<'a> Rows<'a> {
    /// The rows of a map.
    #[must_use]
    pub fn of(map: &'a SchemaMap) -> Self {
        let mut lists: HashMap<_, Vec<usize>> = HashMap::new();
        let mut lists_of_all = Vec::new();
        for (index, list) in map.chunks.iter().enumerate() {
            match list.symbols.names() {
                None => lists_of_all.push(index),
                Some(names) => {
                    for name in names {
                        lists.entry(name.as_str()).or_default().push(index);
                    }
                }
            }
        }
        Self {
            map,
            standings: Standings::new(&map.evidence),
            lists,
            lists_of_all,
        }
    }

    /// One row: its days in runs.
    #[must_use]
    pub fn row(&self, name: &str) -> Vec<Run> {
        let of_symbol = match name {
            ALL_SYMBOLS => self.standings.all(),
            name => self.standings.symbol(name),
        };
        let asked = self.asked(name);
        let uncovered = self.uncovered(name);
        let mut runs: Vec<Run> = Vec::new();
        for (day, asked) in self.map.days.pieces(1).zip(asked) {
            let is_uncovered = uncovered.iter().any(|days| days.contains(day.start()));
            let cell = self.cell(&of_symbol, day.start(), asked, is_uncovered);
            if runs.last().is_none_or(|run| run.cell != cell) {
                runs.push(Run {
                    days: day,
                    cell,
                    chunks: Vec::new(),
                });
            }
            if let Some(run) = runs.last_mut() {
                run.days = DayRange::new(run.days.start(), day.end()).unwrap_or(day);
                self.note_chunks(run, &of_symbol, day.start(), asked);
            }
        }
        runs
    }

    /// What the chunks say of each day.
    fn asked(&self, name: &str) -> Vec<Option<Asked>> {
        let lists = match name {
            ALL_SYMBOLS => self.lists_of_all.as_slice(),
            name => self.lists.get(name).map_or(&[][..], Vec::as_slice),
        };
        let count = usize::try_from(self.map.days.len_days()).unwrap_or_default();
        let mut asked: Vec<Option<Asked>> = vec![None; count];
        let chunks = lists.iter().filter_map(|index| self.map.chunks.get(*index));
        for chunk in chunks.flat_map(|list| &list.chunks) {
            let Some(days) = chunk.days.intersection(self.map.days) else {
                continue;
            };
            let first = days.start().number() - self.map.days.start().number();
            let first = usize::try_from(first).unwrap_or_default();
            let length = usize::try_from(days.len_days()).unwrap_or_default();
            for day in asked.iter_mut().skip(first).take(length) {
                if day.is_none_or(|before| says(before.state) < says(chunk.state)) {
                    let (chunk, state) = (chunk.id, chunk.state);
                    *day = Some(Asked { chunk, state });
                }
            }
        }
        asked
    }

    /// The days that the source doesn't have of a row.
    fn uncovered(&self, name: &str) -> Vec<DayRange> {
        let listed = self.map.uncovered.iter();
        let of_row = listed.filter(|(symbols, _)| match symbols.names() {
            Some(names) => names.iter().any(|listed| listed == name),
            None => true,
        });
        of_row.map(|(_, days)| *days).collect()
    }

    fn cell(
        &self,
        of_symbol: &OfSymbol<'_>,
        day: Day,
        asked: Option<Asked>,
        is_uncovered: bool,
    ) -> Cell {
        let (standing, holding) = of_symbol.on_day(day);
        if asked.is_none() && !self.map.all_asked && holding.is_none() {
            return Cell::NotAsked;
        }
        let is_empty = asked.is_some_and(|asked| asked.state == ChunkState::Empty);
        match (standing, holding) {
            (Standing::Held, _) if self.is_degraded(day) => Cell::Degraded,
            (Standing::Held, Some(Holding::Records)) => Cell::Data,
            (Standing::Held, _) => Cell::Held,
            (standing, _) if is_uncovered && !is_empty => match standing {
                Standing::VendorMissing => Cell::Missing,
                _ => open(asked).unwrap_or(Cell::Pending),
            },
            (Standing::Empty, _) => Cell::NoSession,
            (Standing::UnknownSymbol, _) => Cell::NotListed,
            (Standing::VendorMissing, _) => Cell::Missing,
            (Standing::VendorPending, _) => open(asked).unwrap_or(Cell::Pending),
            (Standing::NotFetched, _) => open(asked).unwrap_or(Cell::Gap),
        }
    }

    fn is_degraded(&self, day: Day) -> bool {
        self.standings.condition(day) == Some(Condition::Degraded)
    }

    /// Notes the chunks of a run's last day.
    fn note_chunks(&self, run: &mut Run, of_symbol: &OfSymbol<'_>, day: Day, asked: Option<Asked>) {
        // The chunk of a slice is noted on the first of its days in the run.
        let begins = run.days.start() == day;
        let slices = of_symbol.slices(day);
        let slices = slices.filter(|slice| begins || slice.held.span.start.day() == day);
        let holders = slices.filter_map(|slice| {
            let holder = (slice.held.instrument_id, slice.held.span.start);
            self.map.holders.get(&holder).copied()
        });
        match run.cell {
            Cell::Data | Cell::Degraded | Cell::Held => holders.for_each(|id| note(run, id)),
            Cell::NoSession => {
                let found = asked.filter(|asked| asked.state == ChunkState::Empty);
                let found = found.map(|asked| asked.chunk);
                holders.chain(found).for_each(|id| note(run, id));
            }
            Cell::Pending | Cell::Running | Cell::Failed => {
                let open = asked.filter(|asked| open(Some(*asked)).is_some());
                open.into_iter().for_each(|asked| note(run, asked.chunk));
            }
            Cell::NotAsked | Cell::NotListed | Cell::Missing | Cell::Gap => {}
        }
    }
}

fn note(run: &mut Run, chunk: ChunkId) {
    if !run.chunks.iter().rev().take(8).any(|noted| *noted == chunk) {
        run.chunks.push(chunk);
    }
}

/// How an unfinished chunk's day stands.
fn open(asked: Option<Asked>) -> Option<Cell> {
    match asked?.state {
        ChunkState::Pending => Some(Cell::Pending),
        ChunkState::Running => Some(Cell::Running),
        ChunkState::Dead => Some(Cell::Failed),
        ChunkState::Done | ChunkState::Empty | ChunkState::Cancelled => None,
    }
}

/// Of several chunks of a day, the one with the highest says how it stands.
fn says(state: ChunkState) -> u8 {
    match state {
        ChunkState::Cancelled => 0,
        ChunkState::Done => 1,
        ChunkState::Empty => 2,
        ChunkState::Pending => 3,
        ChunkState::Running => 4,
        ChunkState::Dead => 5,
    }
}
