//! Validate: rows held to the rules, and parted into those to load and those for the quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::as_u64;
use common::configuration::mapping::rule::{Rule, applied};
use common::configuration::mapping::{ColumnType, Mapping};
use common::expression::{Inputs, Parameters};
use common::price::Price;
use common::quality::{RuleFailures, Severity, VALUE_FITS_COLUMN};
use common::record_layout::RecordLayout;
use common::store::QuarantinedRecord;
use common::store::rows::{ColumnValues, NULL, RowBlock};
use common::time::Nanos;

use crate::decode::RecordBlock;
use crate::record_json::record_json;
use crate::transform::Unfit;

/// Failing records of each rule that are told in words.
pub const EXAMPLES: usize = 3;

/// Rows that no rule of severity `error` objects to, and the records that one does. Only
/// [`Validator`] makes it.
#[derive(Debug)]
pub struct ValidBlock {
    rows: RowBlock,
    quarantined: Vec<QuarantinedRecord>,
    given_up: bool,
}

impl ValidBlock {
    /// The rows to load.
    #[must_use]
    pub fn rows(&self) -> &RowBlock {
        &self.rows
    }

    /// The records for the quarantine.
    #[must_use]
    pub fn quarantined(&self) -> &[QuarantinedRecord] {
        &self.quarantined
    }

    /// The rows to load, and the records for the quarantine.
    #[must_use]
    pub fn into_parts(self) -> (RowBlock, Vec<QuarantinedRecord>) {
        (self.rows, self.quarantined)
    }

    /// Whether so many records failed that nothing of the chunk will be loaded: from then on blocks
    /// are empty, and only counted.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.given_up
    }
}

/// What became of a chunk's own records.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Records judged.
    pub records: u64,
    /// Records that fail a rule of severity `error`.
    pub quarantined: u64,
    /// Each rule that was looked at, in the order of its file.
    pub rules: Vec<RuleTally>,
}

/// How often one rule failed.
#[derive(Clone, Debug)]
pub struct RuleTally {
    /// The rule.
    pub rule: Arc<str>,
    /// What becomes of records that fail it.
    pub severity: Severity,
    /// Whether it is applied; a rule that is off is only counted, in a sample.
    pub enabled: bool,
    /// Records that failed it.
    pub records: u64,
    /// The first of them, each with the values that the rule looks at.
    pub examples: Vec<String>,
}

impl Tally {
    /// The applied rules that failed.
    #[must_use]
    pub fn failures(&self) -> Vec<RuleFailures> {
        let failed = self
            .rules
            .iter()
            .filter(|rule| rule.enabled && rule.records > 0);
        failed
            .map(|rule| RuleFailures {
                rule: rule.rule.to_string(),
                severity: rule.severity,
                records: rule.records,
            })
            .collect()
    }

    /// The rule of severity `error` that failed most often.
    #[must_use]
    pub fn worst(&self) -> Option<&RuleTally> {
        let errors = self.rules.iter();
        errors
            .filter(|rule| rule.severity == Severity::Error && rule.enabled)
            .max_by_key(|rule| rule.records)
    }
}

/// Holds a chunk's rows to its rules, block by block.
#[derive(Debug)]
pub struct Validator {
    rules: Vec<Rule>,
    columns: Vec<(String, ColumnType)>,
    layout: RecordLayout,
    parameters: Parameters,
    /// More quarantined records than this, and the chunk is given up whatever follows.
    quarantined_max: u64,
    tally: Tally,
}

impl Validator {
    /// The rules that a job with these switches applies; above `quarantined_max` records for the
    /// quarantine, the rest is only counted.
    #[must_use]
    pub fn new(
        mapping: &Mapping,
        switches: &BTreeMap<String, bool>,
        parameters: Parameters,
        quarantined_max: u64,
    ) -> Self {
        let rules = applied(&mapping.rules, switches).cloned().collect();
        Self::of(mapping, rules, |_| true, parameters, quarantined_max)
    }

    /// All rules: those that are off are counted, and hold nothing back.
    #[must_use]
    pub fn of_all(mapping: &Mapping, parameters: Parameters) -> Self {
        let rules = mapping.rules.clone();
        Self::of(mapping, rules, |rule| rule.enabled, parameters, u64::MAX)
    }

    fn of(
        mapping: &Mapping,
        rules: Vec<Rule>,
        enabled: fn(&Rule) -> bool,
        parameters: Parameters,
        quarantined_max: u64,
    ) -> Self {
        let columns = mapping.columns.iter();
        let tallies = rules
            .iter()
            .map(|rule| (&*rule.name, rule.severity, enabled(rule)));
        // The last is the rule that needs no condition.
        let tallies = tallies.chain([(VALUE_FITS_COLUMN, Severity::Error, true)]);
        let tally = Tally {
            rules: tallies.map(RuleTally::of).collect(),
            ..Tally::default()
        };
        Self {
            columns: columns
                .map(|column| (column.name.clone(), column.column_type))
                .collect(),
            layout: mapping.layout.clone(),
            parameters,
            quarantined_max,
            rules,
            tally,
        }
    }

    /// Parts rows by the rules, or holds back the one record that can't be a row; `own` are those rows
    /// of the part that are the chunk's.
    pub fn validate_part(
        &mut self,
        records: &RecordBlock,
        own: RowBlock,
        unfit: Option<&Unfit>,
    ) -> ValidBlock {
        match unfit {
            None => self.validate(records, own),
            Some(unfit) => self.hold_back(records, &own, unfit),
        }
    }

    /// Parts rows by the rules; `records` are those that the rows were made of, and may be more.
    pub fn validate(&mut self, records: &RecordBlock, rows: RowBlock) -> ValidBlock {
        self.tally.records += as_u64(rows.len());
        let failed = self.judge(&rows);
        if failed.is_empty() {
            return self.block(rows, Vec::new());
        }
        self.tally.quarantined += as_u64(failed.iter().filter(|rules| **rules != 0).count());
        if self.given_up() {
            return self.block(rows, Vec::new());
        }
        let quarantined = self.quarantined(records, &rows, &failed);
        let keep: Vec<bool> = failed.iter().map(|rules| *rules == 0).collect();
        self.block(rows.keep(&keep), quarantined)
    }

    /// Counts a record of the chunk's own that can't be a row, and holds it back; `own` is whose and
    /// which it is.
    fn hold_back(&mut self, record: &RecordBlock, own: &RowBlock, unfit: &Unfit) -> ValidBlock {
        let found = unfit.to_string();
        self.tally.records += as_u64(own.len());
        self.tally.quarantined += as_u64(own.len());
        if let Some(tally) = self.tally.rules.last_mut() {
            tally.records += as_u64(own.len());
            if tally.examples.len() < EXAMPLES && !own.is_empty() {
                tally.examples.push(example(own, 0, &found));
            }
        }
        let quarantined = match self.given_up() {
            true => Vec::new(),
            false => (0..own.len())
                .map(|row| {
                    let failed = vec![VALUE_FITS_COLUMN.into()];
                    self.held_back(record, own, row, failed, found.clone())
                })
                .collect(),
        };
        self.block(RowBlock::default(), quarantined)
    }

    /// For each row, which rules of severity `error` it fails, a bit each; empty when none fails any,
    /// as it is nearly always.
    fn judge(&mut self, rows: &RowBlock) -> Vec<u64> {
        let inputs = Inputs {
            columns: &rows.columns,
            rows: rows.len(),
            parameters: self.parameters,
        };
        let mut failed: Vec<u64> = Vec::new();
        for (bit, (rule, tally)) in self.rules.iter().zip(&mut self.tally.rules).enumerate() {
            let truth = rule.condition.evaluate(&inputs);
            let count = truth.iter().filter(|truth| truth.is_false()).count();
            if count == 0 {
                continue;
            }
            tally.records += as_u64(count);
            let failing = truth.iter().enumerate();
            let failing = failing.filter(|(_, truth)| truth.is_false());
            for (row, _) in failing.clone().take(EXAMPLES - tally.examples.len()) {
                let found = looked_at(rows, row, &[rule], &self.columns);
                tally.examples.push(example(rows, row, &found));
            }
            if rule.severity == Severity::Error && tally.enabled {
                failed.resize(rows.len(), 0);
                for (row, _) in failing {
                    failed[row] |= 1 << bit;
                }
            }
        }
        failed
    }

    /// What became of all rows.
    #[must_use]
    pub fn finish(self) -> Tally {
        self.tally
    }

    fn given_up(&self) -> bool {
        self.tally.quarantined > self.quarantined_max
    }

    fn block(&self, rows: RowBlock, quarantined: Vec<QuarantinedRecord>) -> ValidBlock {
        let given_up = self.given_up();
        let rows = match given_up {
            true => {
                let none = vec![false; rows.len()];
                rows.keep(&none)
            }
            false => rows,
        };
        ValidBlock {
            rows,
            quarantined,
            given_up,
        }
    }

    fn quarantined(
        &self,
        records: &RecordBlock,
        rows: &RowBlock,
        failed: &[u64],
    ) -> Vec<QuarantinedRecord> {
        let failing = failed.iter().enumerate().filter(|(_, rules)| **rules != 0);
        failing
            .map(|(row, failed)| {
                let rules = self.rules.iter().enumerate();
                let rules = rules.filter(|(bit, _)| failed & (1 << bit) != 0);
                let rules: Vec<_> = rules.map(|(_, rule)| rule).collect();
                let found = looked_at(rows, row, &rules, &self.columns);
                let names = rules.iter().map(|rule| Arc::clone(&rule.name)).collect();
                self.held_back(records, rows, row, names, found)
            })
            .collect()
    }

    fn held_back(
        &self,
        records: &RecordBlock,
        rows: &RowBlock,
        row: usize,
        failed: Vec<Arc<str>>,
        found: String,
    ) -> QuarantinedRecord {
        let record_number = rows.record_numbers[row];
        let record = records.record(record_number, self.layout.record_bytes);
        QuarantinedRecord {
            record_number,
            instrument_id: rows.instrument_ids[row],
            index_time: rows.index_times[row],
            failed,
            found,
            record: record_json(&self.layout, record),
        }
    }
}

impl RuleTally {
    fn of((rule, severity, enabled): (&str, Severity, bool)) -> Self {
        Self {
            rule: rule.into(),
            severity,
            enabled,
            records: 0,
            examples: Vec::new(),
        }
    }
}

/// A failing row in words: which record it is, and what was found in it.
fn example(rows: &RowBlock, row: usize, found: &str) -> String {
    format!(
        "record {} at {} of instrument {}: {found}",
        rows.record_numbers[row],
        Nanos(rows.index_times[row]),
        rows.instrument_ids[row],
    )
}

/// The values of a row that rules look at, in words.
fn looked_at(
    rows: &RowBlock,
    row: usize,
    rules: &[&Rule],
    columns: &[(String, ColumnType)],
) -> String {
    let indexes = rules.iter().flat_map(|rule| rule.condition.columns());
    let indexes: BTreeSet<_> = indexes.collect();
    let values = indexes.into_iter().filter_map(|index| {
        let (name, column_type) = columns.get(*index)?;
        let value = shown(rows.columns.get(*index)?, row, *column_type);
        Some(format!("{name} = {value}"))
    });
    values.collect::<Vec<_>>().join(", ")
}

fn shown(values: &ColumnValues, row: usize, column_type: ColumnType) -> String {
    let number = |number: i64| match (number, column_type) {
        (NULL, _) => "null".to_owned(),
        (number, ColumnType::Price) => Price(number).to_string(),
        (number, ColumnType::Timestamp) => Nanos(number).to_string(),
        (number, _) => number.to_string(),
    };
    match values {
        ColumnValues::Integers(values) => number(values[row]),
        ColumnValues::SameInteger(value) => number(*value),
        ColumnValues::Chars(values) => match values[row] {
            0 => "null".to_owned(),
            code => format!("'{}'", escaped(&char::from(code).to_string())),
        },
        ColumnValues::Texts(values) => match &values[row] {
            None => "null".to_owned(),
            Some(text) => format!("'{}'", escaped(text)),
        },
        ColumnValues::SameText(text) => format!("'{}'", escaped(text)),
    }
}

/// Text without control characters, which would act on the terminal that it is printed to.
fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escape).collect()
}
