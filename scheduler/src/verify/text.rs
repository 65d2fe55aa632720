//! The verification for people: a line an aspect, and what to do about what is missed.

use std::fmt::Write;

use super::aspect::Verdict;
use super::availability::{Availability, Stretch};
use super::comparison::Comparison;
use super::document::{AspectReport, Document};
use super::integrity::{CheckResult, Integrity, SqlCheck};
use super::performance::{Performance, QueryRun};
use super::stability::Stability;
use crate::progress::thousands;

/// Lines of each list for those who don't want all.
const LINES_SHOWN: usize = 10;
/// Characters of a row that a check found.
const ROW_CHARACTERS_MAX: usize = 200;

/// How much is told.
#[derive(Clone, Copy, Debug)]
struct Telling {
    verbose: bool,
}

/// The report, all of it or the short one.
#[must_use]
pub fn describe(document: &Document, verbose: bool) -> String {
    let telling = Telling { verbose };
    let mut text = String::new();
    for report in &document.checks {
        text.push_str(&line(report));
    }
    text.push_str(&telling.details(document));
    if let Some(comparison) = &document.comparison {
        text.push_str(&telling.changes(comparison, document));
    }
    text.push_str(&sum(document));
    text
}

fn line(report: &AspectReport) -> String {
    let score = match report.score {
        Some(score) => format!("{score:.1}"),
        None => "–".to_owned(),
    };
    let figure = match report.verdict {
        Verdict::NotChecked => format!("not checked: {}", report.figure),
        Verdict::Met | Verdict::Missed => report.figure.clone(),
    };
    let (sign, name) = (report.verdict.sign(), report.check.name());
    format!(
        "{sign} {name:<21}  {score:>5}  {figure}  (target: {})\n",
        report.target
    )
}

/// The last line: the score, what it is made of, and the verdict.
fn sum(document: &Document) -> String {
    let shared = document
        .checks
        .iter()
        .filter(|report| report.share.is_some());
    let shares: Vec<_> = shared
        .map(|report| {
            let share = report.share.unwrap_or_default();
            format!("{} {share:.2}", report.check.name())
        })
        .collect();
    let verdict = match document.passed {
        true => "verified: all targets are met",
        false => "not verified: a target is missed, or was not checked",
    };
    let of_job = match &document.job {
        Some(job) => format!(" of {} ({})", job.name, job.id),
        None => String::new(),
    };
    let score = match document.score {
        Some(score) => format!("score{of_job} {score:.1} of 100, by {}", shares.join(", ")),
        None => format!("no score{of_job}: nothing could be checked"),
    };
    format!("{score}\n{verdict}\n")
}

impl Telling {
    fn details(self, document: &Document) -> String {
        let mut text = String::new();
        if let Some(found) = &document.availability {
            text.push_str(&self.availability(found));
        }
        if let Some(found) = &document.performance {
            text.push_str(&self.performance(found));
        }
        if let Some(found) = &document.integrity {
            text.push_str(&self.integrity(found));
        }
        if let Some(found) = &document.stability {
            text.push_str(&self.stability(found));
        }
        text
    }

    fn availability(self, found: &Availability) -> String {
        let missing = self.list("missing", &found.missing, found.missing_more, stretch);
        let mut text = missing;
        match self.verbose {
            true => text.push_str(&self.list("known gap", &found.gaps, found.gaps_more, stretch)),
            false => {
                for (why, days) in &found.known_gaps {
                    let _infallible =
                        writeln!(text, "  known gaps: {} days: {why}", thousands(*days));
                }
            }
        }
        for command in &found.load {
            let _infallible = writeln!(text, "  load it: {command}");
        }
        text
    }

    fn performance(self, found: &Performance) -> String {
        if self.verbose {
            return found.queries.iter().map(query).collect();
        }
        let slow: Vec<_> = found.queries.iter().filter(|run| !run.passed).collect();
        self.list("slow or failed", &slow, 0, |run| {
            query(run).trim().to_owned()
        })
    }

    fn integrity(self, found: &Integrity) -> String {
        let mut text = String::new();
        if self.verbose || !found.few_fail() {
            for of in &found.rules {
                let records = thousands(of.records);
                let _infallible = writeln!(
                    text,
                    "  quarantined: {records} records of {} fail {}; `scheduler quarantine list` \
                     shows them",
                    of.schema, of.rule
                );
            }
        }
        let told = found.checks.iter();
        let told = told.filter(|check| self.verbose || check.result != CheckResult::Passed);
        for check in told {
            text.push_str(&self.check(check));
        }
        text
    }

    fn check(self, check: &SqlCheck) -> String {
        let (sign, word) = match check.result {
            CheckResult::Passed => ('✓', "passed"),
            CheckResult::Warned => ('!', "warning"),
            CheckResult::Failed => ('✗', "failed"),
            CheckResult::NotChecked => ('–', "not checked"),
        };
        let name = &check.name;
        let mut text = format!("  {sign} {name}: {word}, {:.2} s\n", check.seconds);
        if check.result != CheckResult::Passed {
            let _infallible = writeln!(text, "      {} ({})", check.proves, check.file);
        }
        let shown = if self.verbose { usize::MAX } else { 1 };
        for row in check.rows.iter().take(shown) {
            let row = serde_json::Value::from(row.clone()).to_string();
            let row: String = row.chars().take(ROW_CHARACTERS_MAX).collect();
            let _infallible = writeln!(text, "      {row}");
        }
        if let Some(help) = &check.help {
            let _infallible = writeln!(text, "      = help: {help}");
        }
        text
    }

    fn stability(self, found: &Stability) -> String {
        let mut text = String::new();
        for note in &found.notes {
            let _infallible = writeln!(text, "  note: {note}");
        }
        for (what, reasons) in [("retried", &found.retries), ("dead", &found.given_up)] {
            for reason in reasons {
                let error = reason.error.lines().next().unwrap_or_default();
                let chunks = thousands(reason.chunks);
                let _infallible = writeln!(text, "  {what}: {chunks} chunks: {error}");
            }
        }
        if self.verbose {
            let _infallible = writeln!(
                text,
                "  chunks: {} settled, {} dead, {} running, {} due; {} failed attempts, {} other \
                 claims",
                thousands(found.settled),
                thousands(found.dead),
                thousands(found.running),
                thousands(found.due),
                thousands(found.failed_attempts),
                thousands(found.other_claims),
            );
        }
        text
    }

    fn changes(self, changes: &Comparison, document: &Document) -> String {
        let score =
            |score: Option<f64>| score.map_or("–".to_owned(), |score| format!("{score:.1}"));
        let mut text = format!(
            "since {} ({}): score {} → {}\n",
            changes.previous_at,
            changes.previous,
            score(changes.previous_score),
            score(document.score)
        );
        for change in changes.scores.iter().filter(|of| of.before != of.now) {
            let (name, before, now) =
                (change.check.name(), score(change.before), score(change.now));
            let _infallible = writeln!(text, "  {name} {before} → {now}");
        }
        for (what, names) in [
            ("newly failing", &changes.newly_failing),
            ("fixed", &changes.fixed),
            ("newly missing", &changes.newly_missing),
            ("no longer missing", &changes.no_longer_missing),
            ("note", &changes.notes),
        ] {
            text.push_str(&self.list(what, names, 0, Clone::clone));
        }
        text.push_str(&self.list("slower", &changes.slower, 0, |slower| {
            format!(
                "{:.2} s → {:.2} s, {:.1} times: {}",
                slower.before, slower.now, slower.ratio, slower.command
            )
        }));
        text
    }

    /// A line an entry, the first of many; `more` are not even listed.
    fn list<T>(self, what: &str, entries: &[T], more: u64, tell: impl Fn(&T) -> String) -> String {
        let shown = if self.verbose {
            usize::MAX
        } else {
            LINES_SHOWN
        };
        let mut text = String::new();
        for entry in entries.iter().take(shown) {
            let _infallible = writeln!(text, "  {what}: {}", tell(entry));
        }
        let more = more + common::as_u64(entries.len().saturating_sub(shown));
        if more > 0 {
            let hint = if self.verbose {
                ""
            } else {
                "; --verbose and --json tell more"
            };
            let _infallible = writeln!(text, "  {what}: {} more{hint}", thousands(more));
        }
        text
    }
}

fn stretch(of: &Stretch) -> String {
    let days = match of.first_day == of.last_day {
        true => of.first_day.clone(),
        false => format!("{} to {}", of.first_day, of.last_day),
    };
    format!(
        "{} {} {} {days}: {} ({})",
        of.dataset, of.schema, of.symbol, of.why, of.job
    )
}

fn query(run: &QueryRun) -> String {
    let sign = if run.passed { '✓' } else { '✗' };
    let rows = run.rows.map_or("–".to_owned(), thousands);
    let first = run.first_row_seconds;
    let first = first.map_or("–".to_owned(), |first| format!("{first:.2}"));
    let mut text = format!(
        "  {sign} {:>6.2} s, first row {first:>5}, {rows:>9} rows  {}\n",
        run.seconds, run.command
    );
    if let Some(error) = &run.error {
        let _infallible = writeln!(text, "      {error}");
    }
    text
}
