//! What a replay would change: rows, values and quarantined records, before and after.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::engine::Transaction;
use super::super::quarantine::chunk_failures;
use super::super::rows::{LINEAGE, quoted, unsigned};
use super::super::statement::statement;
use super::super::table::column_names;
use super::super::{Loaded, StoreError};
use super::Replayable;
use crate::chunk::ChunkId;
use crate::quality::{RuleFailures, Severity};

/// What a replay would change, or has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table that the rows would leave, and the one that they would be in; where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<(String, String)>,
    /// Rows in the table now.
    pub rows_before: u64,
    /// Rows in the table afterwards.
    pub rows_after: u64,
    /// Rows that would enter the table; where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered: Option<u64>,
    /// Rows that would leave it; where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// Rows that would stay, with another value in some column; where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
    /// Records in the quarantine now.
    pub quarantined_before: u64,
    /// Records in the quarantine afterwards.
    pub quarantined_after: u64,
    /// The columns whose values would change.
    pub columns: BTreeMap<String, ColumnDifference>,
    /// The rules that fail, now or afterwards.
    pub rules: BTreeMap<String, RuleDifference>,
}

/// How many values of one column would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnDifference {
    /// Rows with another value.
    pub changed: u64,
    /// One of the values, as it is; numbers as the table counts them.
    pub example_before: Option<String>,
    /// The same, as it would be.
    pub example_after: Option<String>,
}

/// What would change by one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleDifference {
    /// What became of the records by the former rules; `None` where it did not fail.
    pub severity_before: Option<Severity>,
    /// What becomes of them by today's.
    pub severity_after: Option<Severity>,
    /// Records that fail it now.
    pub failing_before: u64,
    /// Records that would fail it.
    pub failing_after: u64,
    /// Records that it would bring into the quarantine; where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered_quarantine: Option<u64>,
    /// Records that it holds in the quarantine, and no rule would; where they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_quarantine: Option<u64>,
}

impl Difference {
    /// The numbers alone, without a comparison of rows.
    #[must_use]
    pub fn of_counts(chunk: &Replayable, before: &[RuleFailures], loaded: &Loaded) -> Self {
        let mut difference = Self {
            rows_before: chunk.loaded,
            rows_after: loaded.loaded,
            quarantined_before: chunk.quarantined,
            quarantined_after: loaded.quarantined,
            ..Self::default()
        };
        difference.count_failures(before, &loaded.failures);
        difference
    }

    fn count_failures(&mut self, before: &[RuleFailures], after: &[RuleFailures]) {
        for failed in before {
            let rule = self.rules.entry(failed.rule.clone()).or_default();
            rule.failing_before = failed.records;
            rule.severity_before = Some(failed.severity);
        }
        for failed in after {
            let rule = self.rules.entry(failed.rule.clone()).or_default();
            rule.failing_after = failed.records;
            rule.severity_after = Some(failed.severity);
        }
    }

    /// Whether a replay would change nothing but versions.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let unchanged = |rule: &RuleDifference| {
            let moved = [rule.entered_quarantine, rule.left_quarantine];
            rule.failing_before == rule.failing_after
                && rule.severity_before == rule.severity_after
                && moved.iter().flatten().all(|records| *records == 0)
        };
        let moved = [self.entered, self.left, self.changed];
        moved.iter().flatten().all(|rows| *rows == 0)
            && self.moved.is_none()
            && self.rows_before == self.rows_after
            && self.rules.values().all(unchanged)
    }

    /// Takes another chunk's difference in.
    pub fn add(&mut self, other: Self) {
        self.rows_before += other.rows_before;
        self.rows_after += other.rows_after;
        self.moved = self.moved.take().or(other.moved);
        self.entered = sum(self.entered, other.entered);
        self.left = sum(self.left, other.left);
        self.changed = sum(self.changed, other.changed);
        self.quarantined_before += other.quarantined_before;
        self.quarantined_after += other.quarantined_after;
        for (name, column) in other.columns {
            let known = self.columns.entry(name).or_default();
            if known.changed == 0 {
                known.example_before = column.example_before;
                known.example_after = column.example_after;
            }
            known.changed += column.changed;
        }
        for (name, rule) in other.rules {
            let known = self.rules.entry(name).or_default();
            known.severity_before = rule.severity_before.or(known.severity_before);
            known.severity_after = rule.severity_after.or(known.severity_after);
            known.failing_before += rule.failing_before;
            known.failing_after += rule.failing_after;
            known.entered_quarantine = sum(known.entered_quarantine, rule.entered_quarantine);
            known.left_quarantine = sum(known.left_quarantine, rule.left_quarantine);
        }
    }
}

/// What was compared in one chunk or another.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

/// What the rehearsal's tables hold, against those of the chunk.
pub(super) async fn between(
    transaction: &mut Transaction,
    chunk: ChunkId,
    loaded: &Loaded,
) -> Result<Difference, StoreError> {
    for sql in [
        "CREATE UNIQUE INDEX old_by_number ON old_rows (row_number)",
        "CREATE UNIQUE INDEX new_by_number ON new_rows (row_number)",
        "CREATE UNIQUE INDEX new_quarantine_by_number ON new_quarantine (record_number)",
    ] {
        statement(sql).execute(&mut *transaction).await?;
    }
    let mut difference = rows(transaction).await?;
    quarantine(transaction, chunk, &mut difference).await?;
    let before = chunk_failures(transaction, chunk).await?;
    difference.count_failures(&before, &loaded.failures);
    Ok(difference)
}

async fn rows(transaction: &mut Transaction) -> Result<Difference, StoreError> {
    // Only what both tables have can be compared: a mapping may have moved to another table.
    let before = column_names(&mut *transaction, "old_rows").await?;
    let mut columns = column_names(&mut *transaction, "new_rows").await?;
    columns.retain(|name| before.contains(name) && !LINEAGE.contains(&name.as_str()));
    let unequal: Vec<_> = columns
        .iter()
        .map(|name| {
            let name = quoted(name);
            format!("o.{name} IS DISTINCT FROM n.{name}")
        })
        .collect();
    let counts: Vec<_> = unequal
        .iter()
        .map(|unequal| format!("count(*) FILTER (WHERE {unequal})"))
        .collect();
    let sql = format!(
        "SELECT (SELECT count(*) FROM old_rows), (SELECT count(*) FROM new_rows),
             count(*), count(*) FILTER (WHERE {}), {}
         FROM old_rows AS o JOIN new_rows AS n ON n.row_number = o.row_number",
        unequal.join(" OR "),
        counts.join(", ")
    );
    let row = statement(sql).fetch_one(&mut *transaction).await?;
    let number = |index: usize| Ok::<_, StoreError>(unsigned(row.at(index)?));
    let (before, after, both) = (number(0)?, number(1)?, number(2)?);
    let mut difference = Difference {
        rows_before: before,
        rows_after: after,
        entered: Some(after - both),
        left: Some(before - both),
        changed: Some(number(3)?),
        ..Difference::default()
    };
    for (index, name) in columns.iter().enumerate() {
        let changed = number(4 + index)?;
        if changed > 0 {
            let column = example(transaction, name, changed).await?;
            difference.columns.insert(name.clone(), column);
        }
    }
    Ok(difference)
}

async fn example(
    transaction: &mut Transaction,
    name: &str,
    changed: u64,
) -> Result<ColumnDifference, StoreError> {
    let name = quoted(name);
    let sql = format!(
        "SELECT CAST(o.{name} AS TEXT), CAST(n.{name} AS TEXT)
         FROM old_rows AS o JOIN new_rows AS n ON n.row_number = o.row_number
         WHERE o.{name} IS DISTINCT FROM n.{name} ORDER BY o.row_number LIMIT 1"
    );
    let row = statement(sql).fetch_one(transaction).await?;
    Ok(ColumnDifference {
        changed,
        example_before: row.at(0)?,
        example_after: row.at(1)?,
    })
}

async fn quarantine(
    transaction: &mut Transaction,
    chunk: ChunkId,
    difference: &mut Difference,
) -> Result<(), StoreError> {
    const OLD: &str = "(SELECT * FROM quarantine WHERE chunk_id = $1)";
    const NEW: &str = "(SELECT * FROM new_quarantine)";
    let counts = "SELECT (SELECT count(*) FROM quarantine WHERE chunk_id = $1),
         (SELECT count(*) FROM new_quarantine)";
    let row = statement(counts)
        .bind(chunk)
        .fetch_one(&mut *transaction)
        .await?;
    difference.quarantined_before = unsigned(row.at(0)?);
    difference.quarantined_after = unsigned(row.at(1)?);
    for (from, to, entering) in [(NEW, OLD, true), (OLD, NEW, false)] {
        let sql = format!(
            "SELECT rule, count(*) FROM {from} AS q WHERE NOT EXISTS (
                 SELECT 1 FROM {to} AS other WHERE other.record_number = q.record_number)
             GROUP BY rule"
        );
        let moved = statement(sql)
            .bind(chunk)
            .fetch_all(&mut *transaction)
            .await?;
        for row in moved {
            let rule = difference.rules.entry(row.at(0)?).or_default();
            let records = Some(unsigned(row.at(1)?));
            match entering {
                true => rule.entered_quarantine = records,
                false => rule.left_quarantine = records,
            }
        }
    }
    Ok(())
}
