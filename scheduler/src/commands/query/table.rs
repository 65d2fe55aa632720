//! A table for people: the main columns of each kind of record, as many as the terminal has room for.
//!
//! The first rows decide how wide a column is; a later value that is wider moves the rest of its line.

use std::io::{self, Write};

use common::configuration::mapping::ColumnType;
use common::query::{Column, Row, Value, stat_type_name};
use dbn::Schema;

use super::format::{Output, RowWriter};

/// Rows that decide about widths.
const ROWS_MEASURED: usize = 50;
const GAP: &str = "  ";

pub(super) struct Table {
    output: Output,
    columns: Vec<Shown>,
    /// Rows until the widths are decided.
    waiting: Vec<Vec<String>>,
    head_written: bool,
    width: Option<usize>,
    /// Columns of the answer.
    all: usize,
}

struct Shown {
    name: String,
    /// Its place in a row.
    at: usize,
    right: bool,
    width: usize,
}

/// The terminal's width in characters; `None` where there is none.
pub(super) fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    let size = terminal.size_checked().filter(|_| terminal.is_term());
    size.map(|(_height, width)| usize::from(width))
}

impl Table {
    pub(super) fn new(
        schema: Schema,
        columns: &[Column],
        width: Option<usize>,
        output: Output,
    ) -> Self {
        let shown = main_columns(schema).iter().filter_map(|name| {
            let at = columns.iter().position(|column| column.name == *name)?;
            Some(Shown {
                name: (*name).to_owned(),
                at,
                right: matches!(columns[at].kind, ColumnType::Integer | ColumnType::Price)
                    && *name != "stat_type",
                width: name.len(),
            })
        });
        Self {
            output,
            columns: shown.collect(),
            waiting: Vec::new(),
            head_written: false,
            width,
            all: columns.len(),
        }
    }

    /// Decides about widths, and writes the head and the rows that waited for it.
    fn begin(&mut self) -> io::Result<()> {
        if self.head_written {
            return Ok(());
        }
        self.head_written = true;
        let waiting = std::mem::take(&mut self.waiting);
        for row in &waiting {
            for (column, cell) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.chars().count());
            }
        }
        let mut room = self.width.unwrap_or(usize::MAX);
        let fitting = self.columns.iter().take_while(|column| {
            let fits = column.width <= room;
            room = room.saturating_sub(column.width + GAP.len());
            fits
        });
        let fitting = fitting.count().max(1);
        self.columns.truncate(fitting);
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let lines: Vec<_> = self
            .columns
            .iter()
            .map(|column| "─".repeat(column.width))
            .collect();
        for row in [names, lines].iter().chain(&waiting) {
            self.line(row)?;
        }
        Ok(())
    }

    fn line(&mut self, cells: &[String]) -> io::Result<()> {
        let mut line = String::new();
        for (place, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let blanks = " ".repeat(column.width.saturating_sub(cell.chars().count()));
            match column.right {
                true => line.extend([blanks.as_str(), cell.as_str()]),
                false => line.extend([cell.as_str(), blanks.as_str()]),
            }
        }
        let line = line.trim_end();
        self.output.write_all(line.as_bytes())?;
        self.output.write_all(b"\n")
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let cells = self
            .columns
            .iter()
            .map(|column| match &row.values()[column.at] {
                Value::Integer(number) if column.name == "stat_type" => {
                    let name = u16::try_from(*number).ok().and_then(stat_type_name);
                    name.unwrap_or_else(|| number.to_string())
                }
                // What a text holds must not steer the terminal.
                value => value.to_string().replace(char::is_control, " "),
            });
        cells.collect()
    }
}

impl RowWriter for Table {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let cells = self.cells(row);
        if self.head_written {
            return self.line(&cells);
        }
        self.waiting.push(cells);
        match self.waiting.len() == ROWS_MEASURED {
            true => self.begin(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.begin()?;
        }
        self.output.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.begin()?;
        self.output.flush()?;
        let more = self.all - self.columns.len();
        if more > 0 {
            eprintln!("{more} more columns: --output-format csv, json or ndjson shows all");
        }
        Ok(())
    }
}

/// What a person looks for first, the most important on the left.
fn main_columns(schema: Schema) -> &'static [&'static str] {
    match schema {
        Schema::Trades => &[
            "ts_recv",
            "symbol",
            "price",
            "size",
            "side",
            "instrument_id",
            "publisher_id",
            "sequence",
        ],
        Schema::Tbbo | Schema::Mbp1 | Schema::Mbp10 | Schema::Cmbp1 | Schema::Tcbbo => &[
            "ts_recv",
            "symbol",
            "action",
            "side",
            "price",
            "size",
            "bid_px_00",
            "bid_sz_00",
            "ask_px_00",
            "ask_sz_00",
            "instrument_id",
            "publisher_id",
        ],
        Schema::Bbo1S | Schema::Bbo1M | Schema::Cbbo1S | Schema::Cbbo1M => &[
            "ts_recv",
            "symbol",
            "bid_px_00",
            "bid_sz_00",
            "ask_px_00",
            "ask_sz_00",
            "price",
            "size",
            "instrument_id",
            "publisher_id",
        ],
        Schema::Mbo => &[
            "ts_recv",
            "symbol",
            "action",
            "side",
            "price",
            "size",
            "order_id",
            "instrument_id",
            "publisher_id",
            "sequence",
        ],
        Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => &[
            "ts_event",
            "symbol",
            "open_price",
            "high_price",
            "low_price",
            "close_price",
            "volume",
            "instrument_id",
            "publisher_id",
        ],
        Schema::Statistics => &[
            "ts_recv",
            "symbol",
            "stat_type",
            "price",
            "quantity",
            "ts_ref",
            "instrument_id",
            "publisher_id",
        ],
        Schema::Definition => &[
            "ts_recv",
            "symbol",
            "raw_symbol",
            "asset",
            "exchange",
            "instrument_class",
            "expiration",
            "min_price_increment",
            "currency",
            "strike_price",
            "underlying",
            "instrument_id",
        ],
        Schema::Status => &[
            "ts_recv",
            "symbol",
            "action",
            "reason",
            "trading_event",
            "is_trading",
            "is_quoting",
            "instrument_id",
            "publisher_id",
        ],
        Schema::Imbalance => &[
            "ts_recv",
            "symbol",
            "side",
            "ref_price",
            "paired_qty",
            "total_imbalance_qty",
            "auction_type",
            "auction_time",
            "instrument_id",
            "publisher_id",
        ],
    }
}
