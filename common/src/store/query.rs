//! Queries: what symbols mean, and the rows of their instruments, a page at a time in order of time.
//!
//! A question becomes ranges, each an instrument's index time (`ranges`, `symbols`, `definitions`). A
//! range is read in pages of rows in the order of the table's key or index, each page beginning behind
//! the last row of the one before (`page`), and the ranges are merged by time (`merge`). So nothing is
//! sorted but what lies on one instant, and memory doesn't grow with the answer. All of it is read in
//! one snapshot, in a transaction that can't write.

mod cell;
mod page;
mod merge;
mod held;
mod definitions;
mod symbols;
mod ranges;
mod snapshot;

use std::sync::Arc;

use self::merge::Merge;
use self::page::Pages;
use super::{Store, StoreError};
use crate::configuration::mapping::ColumnType;
use crate::query::{Answer, Column, Query, QueryError};
use crate::record_layout::RecordLayout;
use crate::store::table::{TableColumn, column_names};

pub(crate) use self::merge::Merge as MergedRows;

/// What every row begins with, after its index time.
const HEAD: [&str; 3] = ["symbol", "instrument_id", "publisher_id"];
/// What a row is found by, and no part of an answer.
const LINEAGE: [&str; 2] = super::rows::LINEAGE;

impl Store {
    pub(crate) async fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        let table = crate::query::table(query.schema);
        let columns = self.answer_columns(query, table).await?;
        let mut snapshot = self.pools.begin_reading().await?;
        let found = ranges::find(&mut snapshot, query, table).await?;
        let columns: Arc<[Column]> = columns.into();
        let pages = Pages::new(&snapshot, query, table, &columns);
        let rows = Merge::new(snapshot, pages, found.ranges, query).await?;
        Ok(Answer {
            columns,
            unknown: found.unknown,
            without_records: found.without_records,
            rows,
        })
    }

    /// The columns of an answer: the index time, the symbol, and the rest in the order of the
    /// readable view, which is the same in both engines; then columns of the user's own.
    async fn answer_columns(&self, query: &Query, table: &str) -> Result<Vec<Column>, StoreError> {
        let known = self.table_columns(table).await?;
        let view = table.strip_suffix("_data").unwrap_or(table);
        let in_view = column_names(self.pools.read(), view).await?;
        let index_time = RecordLayout::of(query.schema).index_time;
        let head = std::iter::once(index_time).chain(HEAD).map(str::to_owned);
        let own = known.iter().map(|column| column.name.clone());
        let mut columns: Vec<Column> = Vec::new();
        for name in head.chain(in_view).chain(own) {
            let is_new = columns.iter().all(|column| column.name != name);
            if is_new && !LINEAGE.contains(&name.as_str()) {
                let found = known.iter().find(|column| column.name == name);
                let kind = found.map_or(ColumnType::Text, kind);
                columns.push(Column { name, kind });
            }
        }
        Ok(columns)
    }
}

/// What a column is read as: one of the user's own as a whole number or as text.
fn kind(column: &TableColumn) -> ColumnType {
    match (
        column.column_type,
        column.sql_type.to_ascii_uppercase().as_str(),
    ) {
        (Some(kind), _) => kind,
        (None, "INTEGER" | "INT" | "BIGINT" | "SMALLINT") => ColumnType::Integer,
        (None, _) => ColumnType::Text,
    }
}
