//! Grid: a map of which only how each day stands is kept, a byte each, and which chunks were asked for.

use common::chunk::ChunkId;
use common::request::Symbols;
use common::time::{Day, DayRange, Nanos};

use crate::coverage::{ALL_SYMBOLS, Cell, Rows, SchemaMap};

/// Cells that a grid has at most: nine thousand symbols over ten years. Symbols beyond that are left out.
const CELLS_MAX: usize = 32 * 1024 * 1024;

/// How each day of each symbol stood.
#[derive(Debug)]
pub struct Grid {
    /// The UTC days: columns.
    pub days: DayRange,
    /// The symbols: rows.
    pub symbols: Vec<String>,
    /// Symbols that there was no room for.
    pub left_out: usize,
    /// When it began to be gathered, by the database's clock.
    pub gathered_at: Nanos,
    /// Row by row, each cell by its place in [`Cell::ALL`]: what tells most is the largest.
    cells: Vec<u8>,
    chunks: Vec<(Symbols, Vec<Placed>)>,
}

/// A chunk and its days.
#[derive(Clone, Copy, Debug)]
struct Placed {
    chunk: ChunkId,
    days: DayRange,
}

impl Grid {
    /// What a map shows that began to be gathered at an instant.
    #[must_use]
    pub fn of(map: &SchemaMap, gathered_at: Nanos) -> Self {
        let columns = usize::try_from(map.days.len_days()).unwrap_or(CELLS_MAX);
        let count = map.names.len().min(CELLS_MAX / columns.max(1));
        let symbols: Vec<_> = map.names.iter().take(count).cloned().collect();
        let mut cells = Vec::with_capacity(count * columns);
        let rows = Rows::of(map);
        for name in &symbols {
            for run in rows.row(name) {
                let length = usize::try_from(run.days.len_days()).unwrap_or_default();
                cells.resize(cells.len() + length, run.cell.place());
            }
        }
        let chunks = map.chunks.iter().map(|list| {
            let placed = list.chunks.iter().map(|of| Placed {
                chunk: of.id,
                days: of.days,
            });
            (list.symbols.clone(), placed.collect())
        });
        Self {
            days: map.days,
            left_out: map.names.len() - count,
            chunks: chunks.collect(),
            gathered_at,
            symbols,
            cells,
        }
    }

    /// How a symbol's days stand from a column on, so many of them.
    #[must_use]
    pub fn row(&self, symbol: usize, first: usize, count: usize) -> &[u8] {
        let columns = usize::try_from(self.days.len_days()).unwrap_or_default();
        let from = symbol * columns + first;
        self.cells.get(from..from + count).unwrap_or_default()
    }

    /// The row of a symbol.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<usize> {
        self.symbols.iter().position(|name| name == symbol)
    }

    /// The column of a day.
    #[must_use]
    pub fn column(&self, day: Day) -> Option<usize> {
        let inside = self.days.contains(day);
        let column = day.number() - self.days.start().number();
        usize::try_from(column).ok().filter(|_| inside)
    }

    /// The chunks that were asked for of a symbol's day, the last first.
    #[must_use]
    pub fn chunks_of(&self, symbol: &str, day: Day) -> Vec<ChunkId> {
        let names_it = |symbols: &Symbols| match symbols.names() {
            Some(names) => names.iter().any(|name| name == symbol),
            None => symbol == ALL_SYMBOLS,
        };
        let lists = self.chunks.iter().filter(|(symbols, _)| names_it(symbols));
        let placed = lists.flat_map(|(_, placed)| placed);
        let of_day = placed.filter(|placed| placed.days.contains(day));
        let mut chunks: Vec<_> = of_day.map(|placed| placed.chunk).collect();
        chunks.sort_unstable_by(|one, other| other.cmp(one));
        chunks
    }

    /// How a symbol's day stands.
    #[must_use]
    pub fn cell(&self, symbol: usize, column: usize) -> Cell {
        let place = self.row(symbol, column, 1).first();
        place.map_or(Cell::NotAsked, |place| Cell::at(*place))
    }
}
