//! `scheduler query`: records as a table, CSV, JSON, lines of JSON or Parquet.

mod ask;
mod destination;
mod format;
mod csv;
mod json;
mod table;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "query/no_parquet.rs"]
mod parquet;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use common::configuration::document::Refusal;
use common::query::{Answer, QueryError};
use common::store::{Access, Store};
use tokio_util::sync::CancellationToken;
use worker::process::stop_quietly;

use self::ask::question;
use self::destination::Destination;
use self::format::RowWriter;
use crate::arguments::{Global, OutputFormat, Query};
use crate::confirm::agreed;
use crate::exit::INTERRUPTED;
use crate::progress::thousands;
use crate::session::{Session, nothing_loaded};

/// Rows that a terminal gets before it is asked whether to go on.
const ROWS_UNASKED: u64 = 1_000;

/// How the writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// Whoever was asked has seen enough.
    Enough,
    /// Whoever read the rows has gone.
    Gone,
    Interrupted,
}

/// Runs the command.
pub async fn run(global: &Global, options: &Query) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let query = question(options)?;
    query.check().map_err(refusal)?;
    let destination = Destination::check(options)?;
    let stop = stop_quietly()?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let Some(store) = store else {
        return Err(nothing_loaded("query").into());
    };
    let began = Instant::now();
    let mut answer = query.run(&store).await.map_err(refusal)?;
    warn(&answer);
    let output = destination.open()?;
    let mut writer = format::writer(options, query.schema(), &answer, output)?;
    let asks = destination.is_terminal() && !options.yes && options.limit.is_none();
    let (rows, end) = write(&mut answer, writer.as_mut(), asks, &stop).await?;
    let end = match end {
        End::Whole | End::Enough => ended(writer.finish(), end)?,
        End::Gone | End::Interrupted => end,
    };
    match end {
        End::Whole | End::Enough => {}
        End::Gone => return Ok(ExitCode::SUCCESS),
        End::Interrupted => return Ok(ExitCode::from(INTERRUPTED)),
    }
    destination.keep()?;
    drop(answer);
    store.close().await;
    let word = if rows == 1 { "row" } else { "rows" };
    eprintln!(
        "{} {word} in {} ms",
        thousands(rows),
        began.elapsed().as_millis()
    );
    Ok(ExitCode::SUCCESS)
}

/// Writes rows until there are no more, or until somebody has had enough.
async fn write(
    answer: &mut Answer,
    writer: &mut dyn RowWriter,
    asks: bool,
    stop: &CancellationToken,
) -> anyhow::Result<(u64, End)> {
    let mut rows = 0;
    let mut asks = asks;
    loop {
        // Who waits for a page sees what there is meanwhile.
        if answer.rows_in_memory() == 0 && ended(writer.flush(), End::Whole)? == End::Gone {
            return Ok((rows, End::Gone));
        }
        let row = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok((rows, End::Interrupted)),
            row = answer.next() => row.map_err(refusal)?,
        };
        let Some(row) = row else {
            return Ok((rows, End::Whole));
        };
        if asks && rows == ROWS_UNASKED {
            asks = false;
            writer.flush()?;
            if !agreed(&format!(
                "{} rows, and there are more: go on?",
                thousands(rows)
            ))? {
                return Ok((rows, End::Enough));
            }
        }
        if ended(writer.row(&row), End::Whole)? == End::Gone {
            return Ok((rows, End::Gone));
        }
        rows += 1;
    }
}

/// A reader that has gone away, as `head` does, is no error.
fn ended(written: io::Result<()>, end: End) -> io::Result<End> {
    match written {
        Ok(()) => Ok(end),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::Gone),
        Err(error) => Err(error),
    }
}

fn warn(answer: &Answer) {
    if !answer.unknown().is_empty() {
        let unknown: Vec<_> = answer.unknown().iter().map(ToString::to_string).collect();
        eprintln!(
            "warning: no such symbol is held: {}; the rest follows",
            unknown.join(", ")
        );
    }
    if !answer.not_then().is_empty() {
        let symbols = answer.not_then().join(", ");
        eprintln!("warning: {symbols}: known, but nothing is held for this time");
    }
}

/// What was wrong, in the words of the command line.
fn refusal(error: QueryError) -> anyhow::Error {
    let message = error.to_string();
    match error {
        QueryError::BadParameter {
            parameter,
            message,
            help,
        } => Refusal::of(format!("--{parameter}"), message, &help).into(),
        QueryError::UnknownSymbols { .. } => {
            let help = "write one of those; `scheduler status` shows what was loaded";
            Refusal::of("--symbols", message, help).into()
        }
        QueryError::NothingHeld { .. } => {
            let help = "load it: `scheduler run JOB`; `scheduler status` shows what was loaded";
            Refusal::of("--schema", message, help).into()
        }
        QueryError::Connection(error) | QueryError::Execution(error) => error.into(),
    }
}

/// The formats that people read, as opposed to bytes.
fn is_text(format: OutputFormat) -> bool {
    format != OutputFormat::Parquet
}
