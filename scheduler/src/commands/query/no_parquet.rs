//! Parquet in a program that was built without it.

use common::configuration::document::Refusal;
use common::query::Column;

use super::format::{Output, RowWriter};

pub(super) fn writer(_columns: &[Column], _output: Output) -> Result<Box<dyn RowWriter>, Refusal> {
    let message = "this program was built without Parquet";
    let help = "build it with `cargo build --release --features parquet`, or write csv or ndjson";
    Err(Refusal::of("--output-format", message, help))
}
