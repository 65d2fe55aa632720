//! Data-integrity: how many records fail validation, and what the SQL checks of `checks/` find.
//!
//! A record fails validation that is in the quarantine: it failed a rule of severity `error`. The score
//! is the share of what passed: each SQL check of severity `error`, and the share of such records.

use std::collections::BTreeMap;
use std::time::Instant;

use common::integrity::{CHECKS, CheckSeverity, IntegrityCheck};
use common::quality::Severity;
use common::store::{Checked, FoundRow, JobStatus};
use serde::{Deserialize, Serialize};

use super::aspect::{Outcome, percent};
use super::{Scope, rounded};
use crate::progress::{counted, thousands};

/// Of a hundred records fewer than so many may fail.
const PERCENT_TARGET: u64 = 1;
/// Rules that are named of those that records fail.
const RULES_MAX: usize = 10;

/// What is right and what isn't.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Integrity {
    /// Records that were fetched.
    pub records_fetched: u64,
    /// Those in the quarantine.
    pub records_quarantined: u64,
    /// Rules of severity `error` that records fail, the most frequent first. A record can fail several.
    pub rules: Vec<RuleFailed>,
    /// The SQL checks, of the whole database.
    pub checks: Vec<SqlCheck>,
}

/// How often a rule failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFailed {
    /// The schema.
    pub schema: String,
    /// The rule's name.
    pub rule: String,
    /// Records that fail it.
    pub records: u64,
}

/// An SQL check, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SqlCheck {
    /// Its name.
    pub name: String,
    /// Its file, in the project's folder: it can be run by hand.
    pub file: String,
    /// What a finding means.
    pub severity: CheckSeverity,
    /// What came of it.
    pub result: CheckResult,
    /// How long it took.
    pub seconds: f64,
    /// What is true where it finds nothing.
    pub proves: String,
    /// The first rows that it found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<FoundRow>,
    /// What to do about them, or why it was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What came of an SQL check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It found nothing.
    Passed,
    /// It found what real data may show.
    Warned,
    /// It found what must not be there.
    Failed,
    /// It took too long, or the database could not answer it.
    NotChecked,
}

/// Counts the records that fail, and runs the SQL checks in one snapshot.
///
/// # Errors
/// When the database fails as a whole.
pub async fn check(scope: &Scope<'_>, jobs: &[JobStatus]) -> anyhow::Result<Integrity> {
    let mut found = Integrity::default();
    let mut rules: BTreeMap<(String, String), u64> = BTreeMap::new();
    for job in jobs {
        found.records_fetched += job.records.fetched;
        found.records_quarantined += job.records.quarantined;
        for (schema, failed) in scope.store.rule_failures(job.id).await? {
            if failed.severity == Severity::Error {
                let rule = failed.rule.to_string();
                *rules.entry((schema, rule)).or_default() += failed.records;
            }
        }
    }
    found.rules = most_frequent(rules);
    let mut checks = scope.store.begin_checks(scope.check_limit).await?;
    for check in CHECKS {
        let began = Instant::now();
        let checked = checks.run(check).await?;
        let seconds = rounded(began.elapsed());
        found.checks.push(told(check, checked, seconds, scope));
    }
    checks.end().await?;
    Ok(found)
}

fn most_frequent(rules: BTreeMap<(String, String), u64>) -> Vec<RuleFailed> {
    let mut rules: Vec<_> = rules
        .into_iter()
        .map(|((schema, rule), records)| RuleFailed {
            schema,
            rule,
            records,
        })
        .collect();
    rules.sort_by_key(|failed| std::cmp::Reverse(failed.records));
    rules.truncate(RULES_MAX);
    rules
}

fn told(check: &IntegrityCheck, checked: Checked, seconds: f64, scope: &Scope<'_>) -> SqlCheck {
    let head = check.head();
    let (result, rows, help) = match checked {
        Checked::Found(rows) if rows.is_empty() => (CheckResult::Passed, rows, None),
        Checked::Found(rows) => {
            let result = match head.severity {
                CheckSeverity::Error => CheckResult::Failed,
                CheckSeverity::Warning => CheckResult::Warned,
            };
            (result, rows, Some(head.help))
        }
        Checked::TimedOut => {
            let limit = scope.check_limit.as_secs();
            let help = format!(
                "it took longer than {limit} s, and was ended: give it more with \
                 --check-limit-seconds"
            );
            (CheckResult::NotChecked, Vec::new(), Some(help))
        }
        Checked::Failed(why) => {
            let help = format!("the database could not answer it: {why}");
            (CheckResult::NotChecked, Vec::new(), Some(help))
        }
    };
    SqlCheck {
        name: check.name.to_owned(),
        file: check.file(scope.session.settings.is_distributed()),
        severity: head.severity,
        result,
        seconds,
        proves: head.proves,
        rows,
        help,
    }
}

impl Integrity {
    /// What it comes to. A check that could not be run is not a passed one.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let few_fail = self.few_fail();
        let errors = self.checks.iter();
        let errors = errors.filter(|check| check.severity == CheckSeverity::Error);
        let (mut passed, mut all) = (u64::from(few_fail), 1);
        for check in errors {
            all += 1;
            passed += u64::from(check.result == CheckResult::Passed);
        }
        let not_checked = self.count(CheckResult::NotChecked);
        let mut figure = format!(
            "{} % of records quarantined; {} of {} passed",
            self.percent_quarantined(),
            thousands(self.count(CheckResult::Passed)),
            counted(common::as_u64(self.checks.len()), "SQL check"),
        );
        for (count, words) in [
            (self.count(CheckResult::Failed), "failed"),
            (self.count(CheckResult::Warned), "warned"),
            (not_checked, "not checked"),
        ] {
            if count > 0 {
                figure.push_str(&format!(", {} {words}", thousands(count)));
            }
        }
        let met = passed == all && not_checked == 0;
        Outcome::checked(met, percent(passed, all), figure)
    }

    /// Whether fewer records fail than may.
    #[must_use]
    pub fn few_fail(&self) -> bool {
        let (failed, all) = (self.records_quarantined, self.records_fetched);
        u128::from(failed) * 100 < u128::from(all) * u128::from(PERCENT_TARGET) || failed == 0
    }

    /// How many SQL checks came to this.
    #[must_use]
    pub fn count(&self, result: CheckResult) -> u64 {
        let checks = self.checks.iter();
        common::as_u64(checks.filter(|check| check.result == result).count())
    }

    /// The records that fail, in percent with three digits, rounded up: one of a million is not none.
    fn percent_quarantined(&self) -> String {
        let (failed, all) = (
            u128::from(self.records_quarantined),
            u128::from(self.records_fetched.max(1)),
        );
        let thousandths = (failed * 100_000).div_ceil(all);
        format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::aspect::Verdict;

    fn found(results: &[(CheckSeverity, CheckResult)]) -> Integrity {
        let check = |(severity, result): &(CheckSeverity, CheckResult)| SqlCheck {
            name: "some_check".to_owned(),
            file: "checks/some_check.sql".to_owned(),
            severity: *severity,
            result: *result,
            seconds: 0.1,
            proves: "something".to_owned(),
            rows: Vec::new(),
            help: None,
        };
        Integrity {
            records_fetched: 1_000,
            checks: results.iter().map(check).collect(),
            ..Integrity::default()
        }
    }

    #[test]
    fn a_warning_is_told_and_a_check_that_was_not_run_is_none_that_passed() {
        use CheckResult::{Failed, NotChecked, Passed, Warned};
        use CheckSeverity::{Error, Warning};
        for (results, verdict, score) in [
            (
                vec![(Error, Passed), (Warning, Warned)],
                Verdict::Met,
                100.0,
            ),
            (
                vec![(Error, Passed), (Error, Failed)],
                Verdict::Missed,
                66.6,
            ),
            (
                vec![(Error, Passed), (Error, NotChecked)],
                Verdict::Missed,
                66.6,
            ),
            (
                vec![(Error, Passed), (Warning, NotChecked)],
                Verdict::Missed,
                100.0,
            ),
        ] {
            let outcome = found(&results).outcome();
            assert_eq!(
                (outcome.verdict, outcome.score),
                (verdict, Some(score)),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn one_record_of_a_hundred_is_one_too_many() {
        let with = |quarantined, fetched| Integrity {
            records_fetched: fetched,
            records_quarantined: quarantined,
            ..Integrity::default()
        };
        assert!(with(0, 0).few_fail());
        assert!(with(9, 1_000).few_fail());
        assert!(!with(10, 1_000).few_fail());
        assert_eq!(with(1, 1_000_000).percent_quarantined(), "0.001");
        assert_eq!(with(10, 1_000).percent_quarantined(), "1.000");
        assert_eq!(with(0, 0).percent_quarantined(), "0.000");
    }
}
