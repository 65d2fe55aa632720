//! A page: the next rows of a range, found by the table's key or index, in its order.

use std::sync::Arc;

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::rows::quoted;
use super::super::statement::{Row, Statement, Value, statement};
use super::cell::{cell, number, time, width};
use super::ranges::Range;
use crate::configuration::mapping::ColumnType;
use crate::query::{self, Column, Order, Query};
use crate::time::Nanos;

/// The size of the finest bars and samples.
const FINEST: &str = "1s";

/// What a row is ordered by: its index time in nanoseconds, its chunk, and its record's number in the
/// chunk's stream.
pub(super) type Key = (i64, i64, i64);

/// How pages are read of one table. The parts of the statement come from our own lists of tables and
/// columns; what a user wrote is bound.
#[derive(Debug)]
pub(super) struct Pages {
    /// The table, and in SQLite the index of coarse sizes where it is one.
    from: String,
    columns: Arc<[Column]>,
    select: String,
    /// A condition on the size of bars or samples, as the index of coarse ones wants it; or nothing.
    size: String,
    filters: Vec<Filter>,
    descending: bool,
    postgres: bool,
}

/// A condition on one column: it is one of these values, or within bounds.
#[derive(Debug)]
struct Filter {
    column: &'static str,
    /// What stands between the column and its values.
    operator: &'static str,
    values: Vec<Value>,
}

impl Pages {
    pub(super) fn new(
        on: &Transaction,
        query: &Query,
        table: &str,
        columns: &Arc<[Column]>,
    ) -> Self {
        let postgres = matches!(on, Transaction::Postgres(_));
        let mut select = vec!["chunk_id".to_owned(), "row_number".to_owned()];
        for column in columns.iter().filter(|column| column.name != "symbol") {
            let name = quoted(&column.name);
            match column.kind {
                ColumnType::Timestamp if postgres => {
                    select.push(name);
                    select.push(quoted(&format!("{}_ns", column.name)));
                }
                ColumnType::Text => select.push(format!("CAST({name} AS TEXT)")),
                _ => select.push(name),
            }
        }
        let is_coarse = query::granularity(query.schema).is_some_and(|size| size != FINEST);
        let mut from = quoted(table);
        if is_coarse && !postgres {
            // It knows no figures of the table, and would take the key.
            from += &format!(" INDEXED BY {}", quoted(&format!("{table}_coarse")));
        }
        Self {
            from,
            columns: Arc::clone(columns),
            select: select.join(", "),
            size: size(query.schema),
            filters: filters(query),
            descending: query.order == Order::Descending,
            postgres,
        }
    }

    /// The column of the index time.
    pub(super) fn index_time(&self) -> &str {
        &self.columns[0].name
    }

    /// Values in a row.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Before the first row of a range, in the order of the answer.
    pub(super) fn start_of(&self, range: &Range) -> Key {
        let beginning = match self.descending {
            false => range.span.start,
            true => range.span.end,
        };
        // No chunk and no record has a number below 0.
        (beginning.0, -1, -1)
    }

    /// At most `limit` rows of a range that come after a key, in order.
    pub(super) async fn read(
        &self,
        on: &mut Transaction,
        range: &Range,
        after: Key,
        limit: usize,
    ) -> Result<Vec<(Key, query::Row)>, StoreError> {
        let rows = self
            .statement("", range, after, limit)
            .fetch_all(on)
            .await?;
        rows.iter().map(|row| self.row(row, range)).collect()
    }

    /// How the database would read a range's first page.
    pub(super) async fn explain(
        &self,
        on: &mut Transaction,
        range: &Range,
    ) -> Result<Vec<String>, StoreError> {
        let (explain, column) = match self.postgres {
            true => ("EXPLAIN ", 0),
            false => ("EXPLAIN QUERY PLAN ", 3),
        };
        let statement = self.statement(explain, range, self.start_of(range), 1);
        let rows = statement.fetch_all(on).await?;
        rows.iter().map(|row| row.at(column)).collect()
    }

    fn row(&self, row: &Row, range: &Range) -> Result<(Key, query::Row), StoreError> {
        let whole = |at| Ok::<_, StoreError>(number(row, at)?.unwrap_or_default());
        let key = (time(row, 2)?.unwrap_or_default(), whole(0)?, whole(1)?);
        let mut values = Vec::with_capacity(self.columns.len());
        let mut at = 2;
        for (place, column) in self.columns.iter().enumerate() {
            // The symbol comes second and from no table.
            if place == 1 {
                values.push(query::Value::Text(range.symbol_at(Nanos(key.0))));
                continue;
            }
            values.push(cell(row, at, column.kind)?);
            at += width(row, column.kind);
        }
        let columns = Arc::clone(&self.columns);
        Ok((key, query::Row { columns, values }))
    }

    fn statement(&self, explain: &str, range: &Range, after: Key, limit: usize) -> Statement {
        let index_time = quoted(&self.columns[0].name);
        let direction = if self.descending { " DESC" } else { "" };
        let (between, keys) = match self.postgres {
            true => self.between_postgres(&index_time),
            false => self.between_sqlite(&index_time),
        };
        let order: Vec<_> = keys.iter().map(|key| format!("{key}{direction}")).collect();
        let mut next = if self.postgres { 9 } else { 7 };
        let mut conditions = String::new();
        for filter in &self.filters {
            conditions += &condition(
                filter.column,
                filter.operator,
                filter.values.len(),
                &mut next,
            );
        }
        conditions += &condition(
            "publisher_id",
            "NOT IN",
            range.foreign_publishers.len(),
            &mut next,
        );
        let sql = format!(
            "{explain}SELECT {} FROM {} WHERE instrument_id = $1 AND {between}{}{conditions}
             ORDER BY {} LIMIT $6",
            self.select,
            self.from,
            self.size,
            order.join(", ")
        );
        let far = match self.descending {
            false => range.span.end,
            true => range.span.start,
        };
        let mut page = statement(sql).bind(range.instrument);
        page = match self.postgres {
            false => page.bind(after.0),
            true => page.bind(microseconds(after.0)),
        };
        page = page.bind(after.1).bind(after.2);
        page = match self.postgres {
            false => page.bind(far),
            true => page.bind(microseconds(far.0)),
        };
        page = page.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        if self.postgres {
            page = page
                .bind(after.0.rem_euclid(1_000))
                .bind(far.0.rem_euclid(1_000));
        }
        let filters = self.filters.iter().flat_map(|filter| filter.values.clone());
        let foreign = range.foreign_publishers.iter().map(|id| Value::from(*id));
        filters.chain(foreign).fold(page, Statement::bind)
    }

    fn between_sqlite(&self, time: &str) -> (String, Vec<String>) {
        let (after, before) = if self.descending {
            ("<", ">=")
        } else {
            (">", "<")
        };
        let keys = [time, "chunk_id", "row_number"].map(str::to_owned).to_vec();
        let key = keys.join(", ");
        (
            format!("({key}) {after} ($2, $3, $4) AND {time} {before} $5"),
            keys,
        )
    }

    /// The index knows a time to the microsecond: it finds the first, and what lies before within it is
    /// left out.
    fn between_postgres(&self, time: &str) -> (String, Vec<String>) {
        let ns = quoted(&format!("{}_ns", self.columns[0].name));
        let (from, to) = ("CAST($2 AS timestamptz)", "CAST($5 AS timestamptz)");
        let (near, after, far, before) = match self.descending {
            false => (">=", ">", "<=", "<"),
            true => ("<=", "<", ">=", ">="),
        };
        let keys = vec![
            time.to_owned(),
            ns.clone(),
            "chunk_id".into(),
            "row_number".into(),
        ];
        let key = keys.join(", ");
        let between = format!(
            "{time} {near} {from} AND ({key}) {after} ({from}, $7, $3, $4)
             AND {time} {far} {to} AND ({time}, {ns}) {before} ({to}, $8)"
        );
        (between, keys)
    }
}

/// ` AND column operator ($n, …)`, or nothing where there are no values.
fn condition(column: &str, operator: &str, values: usize, next: &mut usize) -> String {
    let numbers: Vec<_> = (*next..*next + values)
        .map(|value| format!("${value}"))
        .collect();
    *next += values;
    match numbers.is_empty() {
        true => String::new(),
        false => format!(" AND {column} {operator} ({})", numbers.join(", ")),
    }
}

/// ` AND granularity = …`. Rows of one second are most of their table, and larger ones have an index of
/// their own: both engines find it only by the words of its condition, so the size, which is of our own
/// list, stands in the text.
fn size(schema: dbn::Schema) -> String {
    match query::granularity(schema) {
        None => String::new(),
        Some(FINEST) => format!(" AND granularity = '{FINEST}'"),
        Some(size) => format!(" AND granularity = '{size}' AND granularity <> '{FINEST}'"),
    }
}

fn filters(query: &Query) -> Vec<Filter> {
    let mut filters = Vec::new();
    let mut filter = |column, operator, values: Vec<Value>| {
        if !values.is_empty() {
            filters.push(Filter {
                column,
                operator,
                values,
            });
        }
    };
    let texts = |texts: &[String]| texts.iter().map(Value::from).collect::<Vec<_>>();
    let sides = query.sides.iter().map(|side| Value::from(side.to_string()));
    filter("side", "IN", sides.collect());
    filter(
        "size",
        ">=",
        query.size_min.into_iter().map(Value::from).collect(),
    );
    filter(
        "size",
        "<=",
        query.size_max.into_iter().map(Value::from).collect(),
    );
    let kinds = query
        .stat_types
        .iter()
        .map(|kind| Value::from(u32::from(*kind)));
    filter("stat_type", "IN", kinds.collect());
    // A definition says itself of what it is; for other records `ranges` asks the definitions.
    if query.schema == dbn::Schema::Definition {
        filter("asset", "IN", texts(&query.assets));
        filter("exchange", "IN", texts(&query.exchanges));
    }
    filters
}

/// A time cut to microseconds, as `PostgreSQL` reads it exactly.
fn microseconds(nanoseconds: i64) -> Option<String> {
    let cut = chrono::DateTime::from_timestamp_micros(nanoseconds.div_euclid(1_000))?;
    Some(cut.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}
