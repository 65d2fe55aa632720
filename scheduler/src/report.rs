//! The report at the end of a run: what is in the tables, what it cost, what is missing.

mod conditions;

use std::fmt::Write;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use common::chunk::JobId;
use common::money::Usd;
use common::quality::{RuleFailures, Severity};
use common::request::JobSource;
use common::store::status::Unfinished;
use common::store::{JobStatus, SchemaStatus, Store};
use common::time::Nanos;
use common::vendor::{Condition, DayCondition};

pub use self::conditions::{describe_conditions, notes};
use crate::progress::{Seen, counted, thousands};

/// Unfinished chunks that a report names.
const UNFINISHED_SHOWN: u32 = 20;

/// Work on a job that is over.
pub struct Finished<'a> {
    /// Where the records came from.
    pub source: &'a JobSource,
    /// The job.
    pub job: JobId,
    /// What was seen of the work; `None` where others did it.
    pub seen: Option<&'a Seen>,
    /// Why the work stopped, where it did.
    pub stopped: Option<&'a str>,
    /// Chunks that were planned, or taken up again.
    pub to_do: u64,
    /// What was spent before.
    pub spent_before: Usd,
    /// When it began.
    pub began: Nanos,
}

impl Finished<'_> {
    /// What is in the tables, and whether the job is complete.
    pub async fn report(&self, store: &Store) -> anyhow::Result<(String, bool)> {
        let Some(job) = store.job(self.job).await? else {
            anyhow::bail!("the job disappeared from the database");
        };
        let schemas = store.schemas(job.id).await?;
        let failures = store.rule_failures(job.id).await?;
        let unfinished = store.unfinished(job.id, UNFINISHED_SHOWN).await?;
        let flagged = store.flagged_days(job.id).await?;
        let report = Report {
            flagged: &flagged,
            job: &job,
            counted_by: match self.source {
                JobSource::Vendor => "the vendor counts",
                JobSource::Files(_) => "the files hold",
            },
            schemas: &schemas,
            failures: &failures,
            unfinished: &unfinished,
            seen: self.seen,
            stopped: self.stopped,
            to_do: self.to_do,
            spent: Usd(job.spent_usd.0 - self.spent_before.0),
            seconds: Nanos::now().seconds_since(self.began),
        };
        Ok((report.to_string(), job.complete))
    }
}

/// How a run is reported.
struct Report<'a> {
    /// The job at the end.
    job: &'a JobStatus,
    /// Who counts the records, for people.
    counted_by: &'a str,
    /// Its schemas at the end.
    schemas: &'a [SchemaStatus],
    /// How often each rule failed that failed at all.
    failures: &'a [(String, RuleFailures)],
    /// Days that the vendor flags.
    flagged: &'a [DayCondition],
    /// Chunks that are not finished.
    unfinished: &'a [Unfinished],
    /// What was seen of the work; `None` where others did it.
    seen: Option<&'a Seen>,
    /// Why the work stopped, where it did.
    stopped: Option<&'a str>,
    /// Chunks that were planned, or taken up again.
    to_do: u64,
    /// What was spent meanwhile.
    spent: Usd,
    /// How long it took.
    seconds: f64,
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.table())?;
        let job = self.job;
        let records = job.records;
        writeln!(
            f,
            "fetched {} = loaded {} + quarantined {} + covered {}; {} {}",
            thousands(records.fetched),
            thousands(records.loaded),
            thousands(records.quarantined),
            thousands(records.covered),
            self.counted_by,
            thousands(records.expected),
        )?;
        if self.to_do == 0 {
            let already = "nothing was missing: no chunk was planned, and no data was asked for";
            writeln!(f, "{already}")?;
        }
        let meanwhile = match self.seen {
            Some(_) => "spent by this run",
            None => "spent meanwhile",
        };
        let spent = format!("{meanwhile}: ${} (in all ${})", self.spent, job.spent_usd);
        let gaps = self.flagged.iter();
        let gaps = gaps.filter(|of| of.condition == Condition::Missing).count();
        let verdict = match (job.complete, gaps) {
            (false, _) => "incomplete",
            (true, 0) => "complete",
            (true, _) => "complete but for known gaps",
        };
        write!(
            f,
            "{} is {verdict}. {spent}. {:.1} s",
            job.name, self.seconds
        )?;
        let peak = self.seen.and_then(|_| crate::memory::peak_mebibytes());
        match peak {
            Some(peak) => writeln!(f, ", peak memory {peak} MiB.")?,
            None => writeln!(f, ".")?,
        }
        f.write_str(&describe_failures(self.failures))?;
        f.write_str(&describe_conditions(self.flagged))?;
        f.write_str(&describe_unfinished(self.unfinished))?;
        if let Some(reason) = self.stopped {
            writeln!(f, "the work stopped: {reason}")?;
        }
        Ok(())
    }
}

impl Report<'_> {
    fn table(&self) -> Table {
        let head = [
            "schema",
            "chunks",
            "done",
            "empty",
            "fetched",
            "loaded",
            "quarantined",
            "covered",
            "bytes",
            "dollars",
            "seconds",
        ];
        let mut table = plain_table(&head);
        for status in self.schemas {
            let (chunks, records) = (status.chunks, status.records);
            let of_schema = |seen: &Seen| seen.seconds.get(&status.schema).copied();
            let seconds = self.seen.map(|seen| of_schema(seen).unwrap_or_default());
            let seconds = seconds.map_or("–".to_owned(), |seconds| format!("{seconds:.1}"));
            table.add_row(right_aligned(vec![
                status.schema.to_string(),
                thousands(chunks.total),
                thousands(chunks.done),
                thousands(chunks.empty),
                thousands(records.fetched),
                thousands(records.loaded),
                thousands(records.quarantined),
                thousands(records.covered),
                thousands(status.bytes_received),
                status.spent.to_string(),
                seconds,
            ]));
        }
        table
    }
}

/// Chunks that are not finished, a line each, and why.
pub fn describe_unfinished(unfinished: &[Unfinished]) -> String {
    let mut text = String::new();
    for chunk in unfinished {
        let symbols: String = chunk.symbols.chars().take(60).collect();
        let _infallible = write!(
            text,
            "  missing: {} {symbols} {} ({}",
            chunk.schema, chunk.days, chunk.state
        );
        if chunk.state == common::chunk::ChunkState::Pending {
            let _infallible = write!(text, ", due {}", chunk.due_at);
        }
        let reason = chunk.error.as_deref().unwrap_or("not worked on yet");
        let _infallible = writeln!(text, "): {reason}");
    }
    text
}

/// How often rules failed, a line each.
pub fn describe_failures(failures: &[(String, RuleFailures)]) -> String {
    let mut text = String::new();
    for (schema, failed) in failures {
        let (rule, severity) = (&failed.rule, failed.severity);
        let records = counted(failed.records, "record");
        let fail = if failed.records == 1 { "fails" } else { "fail" };
        let see = match severity {
            Severity::Error => "; `scheduler quarantine list` shows them",
            Severity::Warning | Severity::Info => "",
        };
        let _infallible = writeln!(
            text,
            "  {severity}: {records} of {schema} {fail} {rule}{see}"
        );
    }
    text
}

/// A table with a head; its rows come from [`right_aligned`] or [`aligned`].
pub fn plain_table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(head.to_vec());
    table
}

/// Cells of a row, all but the first aligned as numbers are.
pub fn right_aligned(cells: Vec<String>) -> Vec<Cell> {
    aligned(1, cells)
}

/// Cells of a row, of which the first so many are text and the rest numbers.
pub fn aligned(texts: usize, cells: Vec<String>) -> Vec<Cell> {
    let align = |(index, text): (usize, String)| match index < texts {
        true => Cell::new(text),
        false => Cell::new(text).set_alignment(CellAlignment::Right),
    };
    cells.into_iter().enumerate().map(align).collect()
}
