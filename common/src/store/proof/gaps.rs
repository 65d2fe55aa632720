//! Slices that done chunks should hold: what their symbols mean on their days, and nobody holds.

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::rows::unsigned;
use super::super::statement::{Row, statement};
use super::super::submit::EVERY_INSTRUMENT;
use super::Gap;
use crate::chunk::{ChunkId, JobId};
use crate::time::{Nanos, Span};

/// What an engine calls the parts of the query.
struct Words {
    least: &'static str,
    greatest: &'static str,
    /// The symbols of `s` as a table `f`, with a column `value`.
    symbols: &'static str,
    /// Nanoseconds of the first and last midnight of a window of symbology, `y`.
    from: &'static str,
    to: &'static str,
}

const SQLITE: Words = Words {
    least: "min",
    greatest: "max",
    symbols: "json_each(CASE WHEN s.symbols LIKE '[%' THEN s.symbols ELSE '[]' END) AS f",
    from: "CAST(strftime('%s', y.start_date) AS INTEGER) * 1000000000",
    to: "CAST(strftime('%s', y.end_date) AS INTEGER) * 1000000000",
};

const POSTGRES: Words = Words {
    least: "least",
    greatest: "greatest",
    symbols: "jsonb_array_elements_text(CAST(
                  CASE WHEN s.symbols LIKE '[%' THEN s.symbols ELSE '[]' END AS jsonb)) AS f (value)",
    from: "(CAST(y.start_date AS date) - DATE '1970-01-01') * 86400000000000",
    to: "(CAST(y.end_date AS date) - DATE '1970-01-01') * 86400000000000",
};

/// The gaps of the done chunks of a job between two of them, these included.
pub(super) async fn between(
    transaction: &mut Transaction,
    job: JobId,
    first: ChunkId,
    last: ChunkId,
) -> Result<Vec<(ChunkId, Gap)>, StoreError> {
    let sql = match transaction {
        Transaction::Sqlite(_) => query(&SQLITE),
        Transaction::Postgres(_) => query(&POSTGRES),
    };
    let rows = statement(sql)
        .bind(job)
        .bind(first)
        .bind(last)
        .bind(EVERY_INSTRUMENT)
        .fetch_all(transaction)
        .await?;
    rows.iter().map(gap).collect()
}

/// Slices of one instrument never overlap, so their lengths within a window add up to the window's
/// exactly when they fill it. A chunk's own are looked at first: they are few, and nearly always all.
/// `SQLite` takes the tables of a CROSS JOIN in the order that they are written in.
fn query(words: &Words) -> String {
    let Words {
        least,
        greatest,
        symbols,
        from,
        to,
    } = words;
    let held = |whose: &str| {
        format!(
            "(SELECT CAST(coalesce(sum({least}(v.end_ns, a.to_ns)
                  - {greatest}(v.start_ns, a.from_ns)), 0) AS BIGINT)
              FROM coverage AS v WHERE v.dataset = a.dataset AND v.schema = a.schema
                  AND v.instrument_id IN (a.instrument_id, $4)
                  AND v.start_ns < a.to_ns AND v.end_ns > a.from_ns{whose})"
        )
    };
    let (own, anybody) = (held(" AND v.chunk_id = a.id"), held(""));
    let chunks = "+c.job_id = $1 AND c.id >= $2 AND c.id <= $3 AND c.state = 'done'";
    format!(
        "WITH asked AS (
             SELECT c.id, c.dataset, c.schema, f.value AS symbol, y.instrument_id,
                 {greatest}(c.start_ns, {from}) AS from_ns, {least}(c.end_ns, {to}) AS to_ns
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             CROSS JOIN {symbols} CROSS JOIN symbology AS y
             WHERE {chunks} AND y.dataset = c.dataset AND y.stype_in = c.stype_in
                 AND y.symbol = f.value AND {from} < c.end_ns AND {to} > c.start_ns
             UNION ALL
             SELECT c.id, c.dataset, c.schema, 'ALL_SYMBOLS', $4, c.start_ns, c.end_ns
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE {chunks} AND s.symbols NOT LIKE '[%'),
         measured AS (
             SELECT a.*, CASE WHEN {own} = a.to_ns - a.from_ns THEN 0
                 ELSE a.to_ns - a.from_ns - {anybody} END AS missing
             FROM asked AS a)
         SELECT id, symbol, instrument_id, from_ns, to_ns, missing
         FROM measured WHERE missing > 0 ORDER BY id, symbol, from_ns"
    )
}

fn gap(row: &Row) -> Result<(ChunkId, Gap), StoreError> {
    let instrument: i64 = row.get("instrument_id")?;
    let gap = Gap {
        symbol: row.get("symbol")?,
        // Every instrument is no number of one.
        instrument_id: u32::try_from(instrument).ok(),
        span: Span {
            start: Nanos(row.get("from_ns")?),
            end: Nanos(row.get("to_ns")?),
        },
        missing: unsigned(row.get("missing")?),
    };
    Ok((ChunkId(row.get("id")?), gap))
}
