//! What definitions say of instruments: raw symbol, asset, exchange, each from one definition to the
//! next that says otherwise. What the first says is taken to hold before it too.

use std::collections::HashMap;

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::statement::{ROWS_PER_STATEMENT, Row, Statement, statement, tuples};
use super::cell::time;
use crate::nearest::did_you_mean;
use crate::query::QueryError;
use crate::time::{Nanos, Span};

/// Known values that are looked through for a near one.
const KNOWN_MAX: i64 = 10_000;

/// What is asked of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    RawSymbol,
    Asset,
    Exchange,
}

impl Attribute {
    fn column(self) -> &'static str {
        match self {
            Self::RawSymbol => "raw_symbol",
            Self::Asset => "asset",
            Self::Exchange => "exchange",
        }
    }
}

/// What an instrument's definitions say, by dataset and instrument: since when, in order of time.
pub(super) type Changes = HashMap<(String, i64), Vec<(Nanos, Option<String>)>>;

/// The instruments of which any definition says one of these: by an index, but for the exchange, of
/// which there are few.
pub(super) async fn instruments_with(
    on: &mut Transaction,
    attribute: Attribute,
    values: &[String],
) -> Result<Vec<i64>, StoreError> {
    let mut instruments = Vec::new();
    for values in values.chunks(ROWS_PER_STATEMENT) {
        let asked = of_values("DISTINCT instrument_id", attribute, values, "");
        for row in asked.fetch_all(&mut *on).await? {
            instruments.push(row.at(0)?);
        }
    }
    Ok(instruments)
}

/// Refuses values that no definition has, and says which there are.
pub(super) async fn refuse_unknown(
    on: &mut Transaction,
    attribute: Attribute,
    values: &[String],
) -> Result<(), QueryError> {
    let column = attribute.column();
    for values in values.chunks(ROWS_PER_STATEMENT) {
        let asked = of_values("1", attribute, values, "LIMIT 1");
        if !asked.fetch_all(&mut *on).await?.is_empty() {
            return Ok(());
        }
    }
    let sql = format!(
        "SELECT DISTINCT {column} FROM definitions_data WHERE {column} IS NOT NULL
         ORDER BY {column} LIMIT $1"
    );
    let rows = statement(sql).bind(KNOWN_MAX).fetch_all(on).await?;
    let known = rows.iter().map(|row| row.at(0));
    let known = known.collect::<Result<Vec<String>, _>>()?;
    let wanted = values.join(", ");
    let (message, help) = match known.is_empty() {
        true => (
            format!("no definition is held that tells of {column} {wanted:?}"),
            "load the schema definition, or leave it out".to_owned(),
        ),
        false => (
            format!("no definition tells of {column} {wanted:?}"),
            did_you_mean(
                &wanted,
                known.iter().map(String::as_str),
                "those that there are",
            ),
        ),
    };
    Err(QueryError::bad(column, message, help))
}

/// A question for definitions that say one of these.
fn of_values(select: &str, attribute: Attribute, values: &[String], end: &str) -> Statement {
    let sql = format!(
        "SELECT {select} FROM definitions_data WHERE {} IN (VALUES {}) {end}",
        attribute.column(),
        tuples(1, values.len(), 1)
    );
    let values = values.iter();
    values.fold(statement(sql), |asked, value| asked.bind(value))
}

/// What the definitions of some instruments say, and when that changes.
pub(super) async fn changes(
    on: &mut Transaction,
    attribute: Attribute,
    instruments: &[i64],
) -> Result<Changes, StoreError> {
    let mut changes = Changes::new();
    let (times, order) = match on {
        Transaction::Sqlite(_) => ("ts_recv, 0 AS ts_recv_ns", "d.ts_recv"),
        Transaction::Postgres(_) => ("ts_recv, ts_recv_ns", "d.ts_recv, d.ts_recv_ns"),
    };
    for instruments in instruments.chunks(ROWS_PER_STATEMENT) {
        let sql = format!(
            "SELECT {times}, instrument_id, dataset, value FROM (
                 SELECT d.*, c.dataset, d.{column} AS value, lag(d.{column}) OVER earlier AS before,
                     rank() OVER earlier AS place
                 FROM definitions_data AS d JOIN chunks AS c ON c.id = d.chunk_id
                 WHERE d.instrument_id IN (VALUES {})
                 WINDOW earlier AS (PARTITION BY d.instrument_id, c.dataset
                     ORDER BY {order}, d.chunk_id, d.row_number)) AS said
             WHERE place = 1 OR value IS DISTINCT FROM before
             ORDER BY instrument_id, dataset, place",
            tuples(1, instruments.len(), 1),
            column = attribute.column(),
        );
        let asked = instruments
            .iter()
            .fold(statement(sql), |asked, id| asked.bind(*id));
        for row in asked.fetch_all(&mut *on).await? {
            let (of, change) = change(&row)?;
            changes.entry(of).or_default().push(change);
        }
    }
    Ok(changes)
}

type Change = ((String, i64), (Nanos, Option<String>));

fn change(row: &Row) -> Result<Change, StoreError> {
    let since = Nanos(time(row, 0)?.unwrap_or(i64::MIN));
    Ok((
        (row.get("dataset")?, row.get("instrument_id")?),
        (since, row.get("value")?),
    ))
}

/// The spans in which each value holds.
pub(super) fn spans(changes: &[(Nanos, Option<String>)]) -> impl Iterator<Item = (&str, Span)> {
    changes
        .iter()
        .enumerate()
        .filter_map(|(place, (since, value))| {
            let start = if place == 0 { Nanos(i64::MIN) } else { *since };
            let next = changes.get(place + 1);
            let end = next.map_or(Nanos(i64::MAX), |(since, _)| *since);
            Some((value.as_deref()?, Span { start, end }))
        })
}
