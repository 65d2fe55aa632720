//! Rows on their way into a market table: columns of values, a block at a time.

use std::sync::Arc;

/// What stands for NULL in a column of numbers. No price, time or count of the vendor's has it.
pub const NULL: i64 = i64::MIN;

/// The columns of every market table that no mapping fills: which chunk a row came with, and its
/// record's number in the chunk's stream.
pub const LINEAGE: [&str; 2] = ["chunk_id", "row_number"];

/// The values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnValues {
    /// Numbers, billionths or nanoseconds; [`NULL`] where undefined.
    Integers(Vec<i64>),
    /// ASCII characters; 0 where undefined.
    Chars(Vec<u8>),
    /// Text; `None` where undefined.
    Texts(Vec<Option<Arc<str>>>),
    /// The same text in every row.
    SameText(Arc<str>),
    /// The same number in every row.
    SameInteger(i64),
}

/// A block of rows, as columns in the order of the mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBlock {
    /// The columns; each has one value a row.
    pub columns: Vec<ColumnValues>,
    /// Each row's instrument.
    pub instrument_ids: Vec<u32>,
    /// Each row's index time, in nanoseconds.
    pub index_times: Vec<i64>,
    /// The number of each row's record in its stream, from 0: what tells identical records apart,
    /// and finds a record again in the archive.
    pub record_numbers: Vec<i64>,
}

impl RowBlock {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instrument_ids.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instrument_ids.is_empty()
    }

    /// The rows whose flag is set, in their order.
    #[must_use]
    pub fn keep(self, flags: &[bool]) -> Self {
        fn pick<T>(values: Vec<T>, flags: &[bool]) -> Vec<T> {
            let kept = values.into_iter().zip(flags).filter(|(_, keep)| **keep);
            kept.map(|(value, _)| value).collect()
        }
        let columns = self.columns.into_iter().map(|column| match column {
            ColumnValues::Integers(values) => ColumnValues::Integers(pick(values, flags)),
            ColumnValues::Chars(values) => ColumnValues::Chars(pick(values, flags)),
            ColumnValues::Texts(values) => ColumnValues::Texts(pick(values, flags)),
            same @ (ColumnValues::SameText(_) | ColumnValues::SameInteger(_)) => same,
        });
        Self {
            columns: columns.collect(),
            instrument_ids: pick(self.instrument_ids, flags),
            index_times: pick(self.index_times, flags),
            record_numbers: pick(self.record_numbers, flags),
        }
    }
}

/// A table's or column's name as SQL takes it: configuration may name one like a keyword.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Columns' names in a list, as SQL takes them.
pub(super) fn quoted_list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(|name| quoted(name)).collect();
    names.join(", ")
}

/// A count as the database keeps it.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count as the database kept it.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
