//! What has changed since an earlier verification.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::aspect::{Aspect, Verdict};
use super::document::Document;
use super::integrity::CheckResult;

/// A query that takes so many times as long as before is slower.
const SLOWER_RATIO: f64 = 1.5;
/// And by so many seconds: below that it is the machine, which is busy now and then.
const SLOWER_SECONDS: f64 = 0.5;

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The earlier report's file.
    pub previous: String,
    /// When it began.
    pub previous_at: String,
    /// Its score.
    pub previous_score: Option<f64>,
    /// Whether it had passed.
    pub previous_passed: bool,
    /// Scores of aspects that are in both.
    pub scores: Vec<ScoreChange>,
    /// Aspects and SQL checks that were well and are not any more.
    pub newly_failing: Vec<String>,
    /// Those that are well again.
    pub fixed: Vec<String>,
    /// Symbols, each in a schema of a job, of which something is missing that was whole.
    pub newly_missing: Vec<String>,
    /// Those that are whole now.
    pub no_longer_missing: Vec<String>,
    /// Queries that take longer, the worst first.
    pub slower: Vec<Slower>,
    /// Why some of it can't be compared.
    pub notes: Vec<String>,
}

/// An aspect's score then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreChange {
    /// The aspect.
    pub check: Aspect,
    /// Its score then.
    pub before: Option<f64>,
    /// Its score now.
    pub now: Option<f64>,
}

/// A query that takes longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slower {
    /// What a person would type.
    pub command: String,
    /// Seconds then.
    pub before: f64,
    /// Seconds now.
    pub now: f64,
    /// How many times as long it takes.
    pub ratio: f64,
}

/// What has changed between two documents.
#[must_use]
pub fn compare(file: &str, before: &Document, now: &Document) -> Comparison {
    let (failing_before, well_before) = checks(before);
    let (failing_now, well_now) = checks(now);
    let (missing_before, missing_now) = (missing(before), missing(now));
    let both = |document: &Document, other: &Document| {
        document.availability.is_some() && other.availability.is_some()
    };
    let told = both(before, now) && is_listed_whole(before) && is_listed_whole(now);
    let without = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        let new = these.difference(those).filter(|_| told);
        new.cloned().collect()
    };
    Comparison {
        previous: file.to_owned(),
        previous_at: before.at.clone(),
        previous_score: before.score,
        previous_passed: before.passed,
        scores: scores(before, now),
        newly_failing: failing_now.intersection(&well_before).cloned().collect(),
        fixed: failing_before.intersection(&well_now).cloned().collect(),
        newly_missing: without(&missing_now, &missing_before),
        no_longer_missing: without(&missing_before, &missing_now),
        slower: slower(before, now),
        notes: notes(before, now),
    }
}

/// The names of what failed, and of what was well. What was not checked is neither.
fn checks(document: &Document) -> (BTreeSet<String>, BTreeSet<String>) {
    let aspects = document.checks.iter().filter_map(|report| {
        let well = match report.verdict {
            Verdict::Met => true,
            Verdict::Missed => false,
            Verdict::NotChecked => return None,
        };
        Some((report.check.name().to_owned(), well))
    });
    let checks = document.integrity.iter().flat_map(|found| &found.checks);
    let checks = checks.filter_map(|check| {
        let well = match check.result {
            CheckResult::Passed => true,
            CheckResult::Failed | CheckResult::Warned => false,
            CheckResult::NotChecked => return None,
        };
        Some((check.name.clone(), well))
    });
    let (mut failing, mut fine) = (BTreeSet::new(), BTreeSet::new());
    for (name, well) in aspects.chain(checks) {
        let names = if well { &mut fine } else { &mut failing };
        names.insert(name);
    }
    (failing, fine)
}

/// The symbols of which something is missing.
fn missing(document: &Document) -> BTreeSet<String> {
    let stretches = document.availability.iter().flat_map(|of| &of.missing);
    let names =
        stretches.map(|of| format!("{} {} {} {}", of.job, of.dataset, of.schema, of.symbol));
    names.collect()
}

/// Whether all that is missing is in the list, and not only the first of it.
fn is_listed_whole(document: &Document) -> bool {
    document.availability.iter().all(|of| of.missing_more == 0)
}

fn scores(before: &Document, now: &Document) -> Vec<ScoreChange> {
    let of_before = |aspect| before.checks.iter().find(|report| report.check == aspect);
    let both = now.checks.iter().filter_map(|report| {
        let before = of_before(report.check)?.score;
        Some(ScoreChange {
            check: report.check,
            before,
            now: report.score,
        })
    });
    both.collect()
}

fn slower(before: &Document, now: &Document) -> Vec<Slower> {
    let runs = |document: &Document| {
        let runs = document.performance.iter().flat_map(|of| &of.queries);
        let ended = runs.filter(|run| run.error.is_none());
        ended
            .map(|run| (run.command.clone(), run.seconds))
            .collect::<BTreeMap<_, _>>()
    };
    let before = runs(before);
    let mut slower: Vec<_> = runs(now)
        .into_iter()
        .filter_map(|(command, now)| {
            let before = *before.get(&command)?;
            let ratio = now / before.max(0.001);
            let ratio = (ratio * 100.0).round() / 100.0;
            (ratio >= SLOWER_RATIO && now - before >= SLOWER_SECONDS).then_some(Slower {
                command,
                before,
                now,
                ratio,
            })
        })
        .collect();
    slower.sort_by(|one, other| other.ratio.total_cmp(&one.ratio));
    slower
}

/// What differs between the two that is no change of the data.
fn notes(before: &Document, now: &Document) -> Vec<String> {
    let mut notes = Vec::new();
    let whose = |document: &Document| match &document.job {
        Some(job) => format!("{} ({})", job.name, job.id),
        None => "all jobs".to_owned(),
    };
    if before.job != now.job {
        notes.push(format!("the earlier report is of {}", whose(before)));
    }
    if before.engine != now.engine {
        notes.push(format!("the earlier report is of {}", before.engine));
    }
    let aspects = |document: &Document| {
        let checks = document.checks.iter();
        checks.map(|report| report.check).collect::<BTreeSet<_>>()
    };
    let (of_before, of_now) = (aspects(before), aspects(now));
    let alone = of_before.symmetric_difference(&of_now);
    let alone: Vec<_> = alone.map(|aspect| aspect.name()).collect();
    if !alone.is_empty() {
        let are = if alone.len() == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} {are} in one of the two alone",
            alone.join(", ")
        ));
    }
    if !(is_listed_whole(before) && is_listed_whole(now)) {
        notes.push("too much is missing to tell by symbol what of it is new".to_owned());
    }
    notes
}
