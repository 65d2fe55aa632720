//! The flags of `query`, exactly as typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The flags of `query`.
#[derive(Debug, Args)]
pub struct Query {
    /// What kind of records: a schema such as trades, mbp-1, ohlcv-1m, statistics; `ohlcv` is short for
    /// ohlcv-1d, `definitions` for definition
    #[arg(long, value_name = "SCHEMA")]
    pub schema: String,
    /// Continuous symbols, raw ones, parents, numbers of instruments, or ALL_SYMBOLS; several with
    /// commas or blanks between them, or by repeating the flag
    #[arg(short, long, value_name = "SYMBOL", num_args = 1..)]
    pub symbols: Vec<String>,
    /// Of one dataset alone, for example GLBX.MDP3
    #[arg(long, value_name = "DATASET")]
    pub dataset: Option<String>,
    /// From this UTC day or instant on: 2024-01-02, or 2024-01-02T14:30:00.000000001Z
    #[arg(long, visible_alias = "start", value_name = "TIME")]
    pub start_date: Option<String>,
    /// To this UTC day or instant, which belongs to it: a day whole
    #[arg(long, visible_alias = "end", value_name = "TIME")]
    pub end_date: Option<String>,
    /// The size of bars or sampled quotes, of the schemas ohlcv, bbo and cbbo: 1s, 1m, 1h, 1d, eod
    #[arg(long, value_name = "SIZE")]
    pub granularity: Option<String>,
    /// Only this side: A (ask), B (bid), N (none)
    #[arg(long, value_name = "SIDE", value_delimiter = ',')]
    pub side: Vec<String>,
    /// Only records of at least this size
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub min_size: Option<i64>,
    /// Only records of at most this size
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub max_size: Option<i64>,
    /// Only statistics of this kind, by name or number: settlement-price, open-interest, 3
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub stat_type: Vec<String>,
    /// Only instruments of this asset, as the definition says that held at the time, for example ES
    #[arg(long, value_name = "ASSET", value_delimiter = ',')]
    pub asset: Vec<String>,
    /// Only instruments of this exchange, as the definition says that held at the time, for example XCME
    #[arg(long, value_name = "EXCHANGE", value_delimiter = ',')]
    pub exchange: Vec<String>,
    /// At most so many rows, the first of the order
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,
    /// By index time, the oldest or the newest first
    #[arg(long, value_enum, default_value_t = RowOrder::Asc)]
    pub order: RowOrder,
    /// How to write the rows
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Table)]
    pub output_format: OutputFormat,
    /// Write to this file, whole or not at all, instead of to stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Don't ask before many rows go to a terminal
    #[arg(long)]
    pub yes: bool,
}

/// The order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowOrder {
    /// The oldest first
    Asc,
    /// The newest first
    Desc,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// The main columns, for people
    Table,
    /// All columns, with a line of names
    Csv,
    /// One array of objects; prices are strings, so that every reader has them exactly
    Json,
    /// An object a line
    Ndjson,
    /// Apache Parquet, where the program was built with it
    Parquet,
}
