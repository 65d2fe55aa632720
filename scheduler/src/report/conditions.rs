//! Days that the vendor flags, in words: what was loaded with known flaws, and what is a known gap.

use common::time::{Day, DayRange};
use common::vendor::{Condition, DayCondition};

/// Runs of days that a line names.
const RUNS_SHOWN: usize = 10;

/// Days that are degraded or missing, a line each; what is pending has a chunk that says so.
pub fn describe_conditions(conditions: &[DayCondition]) -> String {
    let mut text = String::new();
    if let Some(days) = named_days(conditions, Condition::Degraded) {
        let line = format!("  degraded: the vendor's data of {days} has known flaws\n");
        text.push_str(&line);
    }
    if let Some(days) = named_days(conditions, Condition::Missing) {
        let line = format!(
            "  known gap: the vendor has no data of {days}; a later run loads what it has by then\n"
        );
        text.push_str(&line);
    }
    text
}

/// What a plan says of such days.
pub fn notes(dataset: &str, conditions: &[DayCondition]) -> Vec<String> {
    let degraded = named_days(conditions, Condition::Degraded);
    let degraded = degraded.map(|days| {
        format!("the vendor's data of {dataset} of {days} is degraded: it is loaded, and flagged")
    });
    let missing = named_days(conditions, Condition::Missing);
    let missing = missing.map(|days| {
        format!(
            "the vendor has no data of {dataset} of {days}: a known gap, which is left out until it \
             has"
        )
    });
    degraded.into_iter().chain(missing).collect()
}

/// The days that are in this condition, in as few words as there can be.
fn named_days(conditions: &[DayCondition], condition: Condition) -> Option<String> {
    let runs = DayRange::merged(condition.days(conditions));
    if runs.is_empty() {
        return None;
    }
    let named: Vec<_> = runs.iter().take(RUNS_SHOWN).map(|run| name(*run)).collect();
    let more: i64 = runs.iter().skip(RUNS_SHOWN).map(|run| run.len_days()).sum();
    let more = (more > 0).then(|| format!(" and {more} days more"));
    Some(format!("{}{}", named.join(", "), more.unwrap_or_default()))
}

fn name(run: DayRange) -> String {
    let last: Day = run.end().plus(-1);
    match run.len_days() {
        1 => last.to_string(),
        _ => format!("{} to {last}", run.start()),
    }
}
