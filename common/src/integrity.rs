//! Integrity: the named SQL checks of `checks/`, each a query for what must not be there.
//!
//! A file is for people first: `sqlite3 -readonly data/backhaul.db < FILE` and
//! `psql "$DATABASE_URL" -f FILE` show what it finds. Its head says what it proves, how
//! severe a finding is, and what to do about it; then comes one query, which returns the first rows
//! that offend, or nothing. A text that both engines take stands in `checks/`; where they differ, each
//! has its own in `checks/sqlite/` and `checks/postgres/`.

use serde::{Deserialize, Serialize};

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckSeverity {
    /// Something is wrong: the check has failed.
    Error,
    /// Real data may show it: it is told.
    Warning,
}

/// A named check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegrityCheck {
    /// Its name: that of its file.
    pub name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// The head of a check's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckHead {
    /// What is true where it finds nothing.
    pub proves: String,
    /// What a finding means.
    pub severity: CheckSeverity,
    /// What to do when it finds something.
    pub help: String,
}

macro_rules! compiled_in {
    ($($kind:ident $name:literal),* $(,)?) => {
        &[$(compiled_in!(@one $kind $name)),*]
    };
    (@one both $name:literal) => {{
        let text = include_str!(concat!("../../checks/", $name, ".sql"));
        IntegrityCheck { name: $name, sqlite: text, postgres: text }
    }};
    (@one each $name:literal) => {
        IntegrityCheck {
            name: $name,
            sqlite: include_str!(concat!("../../checks/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../checks/postgres/", $name, ".sql")),
        }
    };
}

/// Every check, in the order in which they are run: the ledger's, which are quick, before those that
/// read the market tables.
pub const CHECKS: &[IntegrityCheck] = compiled_in![
    both "chunk_counts_add_up",
    both "chunk_counts_are_the_vendors",
    both "chunk_counts_are_not_negative",
    both "running_chunks_have_a_lease",
    both "settled_chunks_have_no_lease",
    both "cancelled_jobs_have_no_open_chunks",
    both "dead_chunks_say_why",
    both "job_counts_are_the_chunks",
    both "spend_totals_are_the_rows",
    both "spend_is_within_its_reservation",
    both "spend_is_within_job_limits",
    both "archived_streams_are_known",
    both "archived_streams_have_what_was_fetched",
    both "done_chunks_hold_slices",
    both "slices_do_not_overlap",
    both "slices_are_within_their_chunk",
    both "slices_are_held_by_settled_chunks",
    both "slice_days_fit",
    both "symbology_days_are_ranges",
    both "symbology_windows_do_not_overlap",
    both "symbols_mean_one_instrument",
    both "quarantine_is_of_done_chunks",
    both "quarantine_is_as_counted",
    both "quarantine_names_counted_rules",
    both "rows_are_as_loaded",
    both "rows_belong_to_a_done_chunk",
    both "rows_are_there_once",
    both "row_numbers_are_within_their_stream",
    both "rows_are_of_held_instruments",
    each "rows_are_within_their_chunk",
    both "bars_have_high_above_low",
    both "bars_open_and_close_within_their_range",
    both "bars_have_volume",
    both "bars_are_there_once",
    both "granularities_are_those_of_the_schema",
    both "trades_have_a_price",
    both "sizes_are_not_negative",
    both "sides_are_known",
    both "actions_are_known",
    both "undefined_prices_are_null",
    both "book_levels_are_in_order",
    both "definitions_end_after_they_begin",
    both "instruments_and_publishers_are_possible",
    each "times_are_possible",
];

/// What stands before the severity, and before the help.
const SEVERITY: &str = "Severity: ";
const HELP: &str = "When it finds something: ";

impl IntegrityCheck {
    /// Its query for an engine, without the end of the statement.
    #[must_use]
    pub fn query(&self, is_postgres: bool) -> &'static str {
        let text = if is_postgres {
            self.postgres
        } else {
            self.sqlite
        };
        text.trim_end().trim_end_matches(';')
    }

    /// Its file, from the project's root.
    #[must_use]
    pub fn file(&self, is_postgres: bool) -> String {
        // Where both engines take one text, there is one.
        let folder = match (self.sqlite == self.postgres, is_postgres) {
            (true, _) => "",
            (false, false) => "sqlite/",
            (false, true) => "postgres/",
        };
        format!("checks/{folder}{}.sql", self.name)
    }

    /// What its file says of it.
    ///
    /// # Panics
    /// Never: the files are compiled in, and a test reads all of them.
    #[must_use]
    pub fn head(&self) -> CheckHead {
        CheckHead::parse(self.sqlite).expect("every check of the project has a head")
    }
}

impl CheckHead {
    /// Reads the comment that a file begins with.
    fn parse(text: &str) -> Option<Self> {
        let comment = text.lines().map_while(|line| line.strip_prefix("--"));
        let comment: Vec<_> = comment.map(str::trim).collect();
        let mut paragraphs = comment.split(|line| line.is_empty());
        let mut next = || paragraphs.next().map(|lines| lines.join(" "));
        let (proves, severity, help) = (next()?, next()?, next()?);
        let severity = match severity.strip_prefix(SEVERITY)? {
            "error" => CheckSeverity::Error,
            "warning" => CheckSeverity::Warning,
            _ => return None,
        };
        Some(Self {
            proves,
            severity,
            help: help.strip_prefix(HELP)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The names of the files of a folder below `checks/`.
    fn files(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checks");
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            names.extend(name.strip_suffix(".sql").map(str::to_owned));
        }
        names
    }

    #[test]
    fn every_file_of_checks_is_compiled_in_once() {
        let listed: BTreeSet<_> = CHECKS.iter().map(|check| check.name.to_owned()).collect();
        assert_eq!(listed.len(), CHECKS.len(), "a name is listed twice");
        let (both, sqlite, postgres) = (files(""), files("sqlite"), files("postgres"));
        assert_eq!(sqlite, postgres);
        assert!(both.is_disjoint(&sqlite));
        assert_eq!(listed, both.union(&sqlite).cloned().collect());
    }

    #[test]
    fn every_check_has_a_head_and_one_bounded_query() {
        for check in CHECKS {
            let of_postgres = CheckHead::parse(check.postgres);
            let help = check.head().help;
            let mut sentences = help.split(". ").skip(1);
            assert!(
                sentences.all(|words| !words.starts_with(char::is_lowercase)),
                "{help}"
            );
            assert_eq!(Some(check.head()), of_postgres, "{}", check.name);
            for is_postgres in [false, true] {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
                let text = std::fs::read_to_string(root.join(check.file(is_postgres))).unwrap();
                assert!(text.starts_with(check.query(is_postgres)), "{}", check.name);
                let query = check.query(is_postgres);
                assert!(query.ends_with("LIMIT 20"), "{}", check.name);
                let statements = query.lines().filter(|line| !line.starts_with("--"));
                let semicolons = statements.filter(|line| line.contains(';')).count();
                assert_eq!(semicolons, 0, "{}", check.name);
            }
        }
    }

    #[test]
    fn a_head_without_one_of_its_parts_is_none() {
        let whole = "-- A.\n--\n-- Severity: error\n--\n-- When it finds something: do\n-- this.\n\nSELECT 1";
        let head = CheckHead::parse(whole).unwrap();
        assert_eq!(
            (head.proves.as_str(), head.help.as_str()),
            ("A.", "do this.")
        );
        for part in [
            "Severity: error",
            "error",
            "When it finds something: ",
            "-- A.\n--\n",
        ] {
            assert_eq!(CheckHead::parse(&whole.replace(part, "")), None, "{part}");
        }
    }
}
