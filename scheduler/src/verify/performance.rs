//! Query-performance: the standard queries, each run by this program in a process of its own, as a
//! person would run it; what it prints is read and thrown away.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::aspect::{Outcome, percent};
use super::queries::{Format, StandardQuery, choose};
use super::{Scope, rounded};
use crate::progress::thousands;

/// A query that takes longer is slow.
pub const SECONDS_TARGET: f64 = 5.0;
/// The share of queries that are to be faster, in percent.
const PERCENT_TARGET: u64 = 80;
/// Bytes of a query's answer that are read at once.
const BUFFER_BYTES: usize = 1 << 16;
/// Bytes of a query's words that are kept.
const SAID_BYTES_MAX: usize = 1 << 14;

/// How the standard queries went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Seconds within which a query is to end.
    pub seconds_target: f64,
    /// Queries that did.
    pub fast: u64,
    /// All of them.
    pub queries: Vec<QueryRun>,
}

/// How a query went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryRun {
    /// What it is, in words.
    pub title: String,
    /// What a person would type.
    pub command: String,
    /// Whether it ended well, in time.
    pub passed: bool,
    /// Until its first row was there; null where there was none.
    pub first_row_seconds: Option<f64>,
    /// Until it ended, the start of the process included.
    pub seconds: f64,
    /// Its rows, as it says.
    pub rows: Option<u64>,
    /// Whether it failed, and was not only slow.
    pub failed: bool,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Runs the standard queries, one after the other.
///
/// # Errors
/// When the database fails, or this program can't start itself.
pub async fn check(scope: &Scope<'_>) -> anyhow::Result<Performance> {
    let holdings = scope.store.holdings(scope.job.as_ref().map(|job| job.id));
    let queries = choose(&holdings.await?);
    let program = std::env::current_exe().context("this program can't find itself")?;
    let mut found = Performance {
        seconds_target: SECONDS_TARGET,
        ..Performance::default()
    };
    for query in &queries {
        let run = run(scope, &program, query).await?;
        found.fast += u64::from(run.passed);
        found.queries.push(run);
    }
    Ok(found)
}

impl Performance {
    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let all = common::as_u64(self.queries.len());
        if all == 0 {
            return Outcome::not_checked("nothing is held that could be asked for");
        }
        let failed = self.queries.iter().filter(|run| run.failed);
        let failed = common::as_u64(failed.count());
        let slowest = self.queries.iter().map(|run| run.seconds);
        let slowest = slowest.fold(0.0, f64::max);
        let mut figure = format!(
            "{} of {} {} under {SECONDS_TARGET} s, slowest {slowest:.2} s",
            thousands(self.fast),
            thousands(all),
            if all == 1 { "query" } else { "queries" },
        );
        if failed > 0 {
            figure.push_str(&format!("; {} failed", thousands(failed)));
        }
        // The share is for what is slow: what fails is wrong.
        let met = failed == 0 && self.fast * 100 >= all * PERCENT_TARGET;
        Outcome::checked(met, percent(self.fast, all), figure)
    }
}

/// What a child said and when.
#[derive(Debug, Default)]
struct Ended {
    first_row: Option<Duration>,
    error: Option<String>,
    is_late: bool,
    rows: Option<u64>,
}

async fn run(scope: &Scope<'_>, program: &Path, query: &StandardQuery) -> anyhow::Result<QueryRun> {
    let began = Instant::now();
    let started = command(scope, program, query).spawn();
    let mut child = started.context("this program can't start itself")?;
    let limit = scope.query_limit;
    let ended = match tokio::time::timeout(limit, follow(&mut child, query.format, began)).await {
        Ok(ended) => ended.context("a query can't be read")?,
        Err(_late) => {
            child.kill().await.context("a query can't be ended")?;
            let seconds = limit.as_secs();
            Ended {
                error: Some(format!("took longer than {seconds} s, and was ended")),
                is_late: true,
                ..Ended::default()
            }
        }
    };
    let seconds = rounded(began.elapsed());
    let nothing = query.has_rows && ended.error.is_none() && ended.rows == Some(0);
    let nothing = nothing.then(|| "no rows, and by the ledger there are some".to_owned());
    let error = ended.error.or(nothing);
    Ok(QueryRun {
        title: query.title.clone(),
        command: query.command(),
        passed: error.is_none() && seconds < SECONDS_TARGET,
        first_row_seconds: ended.first_row.map(rounded),
        seconds,
        rows: ended.rows,
        failed: error.is_some() && !ended.is_late,
        error,
    })
}

/// The query with this process's settings. Addresses may hold passwords: they go by the environment,
/// which others can't read, and not by the command line, which they can.
fn command(scope: &Scope<'_>, program: &Path, query: &StandardQuery) -> Command {
    let mut command = Command::new(program);
    command
        .args(&query.arguments)
        .env("DATABASE_URL", &scope.session.settings.database_url)
        .env("BACKHAUL_LOG", "error")
        .env_remove("DATABENTO_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(folder) = scope.config_dir {
        command.env("BACKHAUL_CONFIG_DIR", folder);
    }
    command
}

/// Reads what a query prints, until it ends.
async fn follow(child: &mut Child, format: Format, began: Instant) -> std::io::Result<Ended> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (first_row, said) = tokio::try_join!(first_row(stdout, format, began), words(stderr))?;
    let status = child.wait().await?;
    let error = (!status.success()).then(|| {
        let line = said.lines().next().unwrap_or_default();
        match line.is_empty() {
            true => format!("ended with {status}"),
            false => line.to_owned(),
        }
    });
    let rows = said.lines().rev().find_map(rows_told);
    Ok(Ended {
        first_row: first_row.filter(|_| rows != Some(0)),
        error,
        is_late: false,
        rows,
    })
}

/// Reads all rows; when the first was there.
async fn first_row(
    from: Option<impl AsyncRead + Unpin>,
    format: Format,
    began: Instant,
) -> std::io::Result<Option<Duration>> {
    let Some(mut from) = from else {
        return Ok(None);
    };
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut head, mut first) = (Head::of(format), None);
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(first);
        }
        let read = buffer.get(..count).unwrap_or_default();
        if first.is_none() && head.is_passed(read) {
            first = Some(began.elapsed());
        }
    }
}

/// What comes before the first row.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// The sign that ends it.
    sign: u8,
    /// How many of them are still to come.
    left: usize,
}

impl Head {
    fn of(format: Format) -> Self {
        let (sign, left) = match format {
            // Names, and a line below them.
            Format::Table => (b'\n', 2),
            Format::Csv => (b'\n', 1),
            Format::Json => (b'[', 1),
            Format::Ndjson => (b'\n', 0),
        };
        Self { sign, left }
    }

    /// Whether something of a row is among these bytes, which follow those before.
    fn is_passed(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while self.left > 0 {
            let Some(place) = rest.iter().position(|byte| *byte == self.sign) else {
                return false;
            };
            self.left -= 1;
            rest = rest.get(place + 1..).unwrap_or_default();
        }
        rest.iter().any(|byte| !byte.is_ascii_whitespace())
    }
}

/// Reads what a query says, and keeps the beginning and the last line.
async fn words(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                break;
            }
            kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if kept.len() > SAID_BYTES_MAX {
                kept.drain(SAID_BYTES_MAX / 2..kept.len() - SAID_BYTES_MAX / 2);
            }
        }
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// The rows that a line such as `1,234 rows in 5 ms` tells.
fn rows_told(line: &str) -> Option<u64> {
    let (rows, rest) = line.split_once(' ')?;
    let is_that = rest.starts_with("rows in ") || rest.starts_with("row in ");
    let digits = rows.replace(',', "");
    is_that.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_seen_behind_the_head_wherever_it_is_cut() {
        let cases = [
            (Format::Table, "a  b\n─  ─\n", "1  2\n"),
            (Format::Csv, "a,b\n", "1,2\n"),
            (Format::Json, "[\n", "{\"a\":1}"),
            (Format::Ndjson, "", "{\"a\":1}\n"),
        ];
        for (format, head, row) in cases {
            let whole = format!("{head}{row}");
            for cut in 0..=whole.len() {
                let mut seen = Head::of(format);
                let first = seen.is_passed(&whole.as_bytes()[..cut]);
                assert_eq!(first, cut > head.len(), "{whole:?} cut at {cut}");
                assert!(first || seen.is_passed(&whole.as_bytes()[cut..]));
            }
            assert!(head.is_empty() || !Head::of(format).is_passed(head.as_bytes()));
        }
    }

    #[test]
    fn the_number_of_rows_is_read_as_it_is_told() {
        assert_eq!(rows_told("1,234 rows in 5 ms"), Some(1_234));
        assert_eq!(rows_told("1 row in 5 ms"), Some(1));
        assert_eq!(rows_told("warning: 3 rows in all"), None);
        assert_eq!(rows_told(""), None);
    }
}
