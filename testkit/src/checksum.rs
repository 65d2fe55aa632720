//! Checksums over all rows of the market tables, in a stable order: equal tables, equal sums.

mod postgres;

use std::collections::BTreeMap;
use std::path::Path;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row, SqlitePool};

pub use self::postgres::{Difference, compare_rows, compare_table, market_tables_at, tables_at};

/// One table's rows and their checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSum {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over all columns of all rows.
    pub sha256: String,
}

/// When a record was quarantined, and in which attempt, is no part of what a chunk holds.
const CIRCUMSTANCES: [&str; 2] = ["attempt", "quarantined_at"];

/// Tables that are compared beside the market tables.
const OTHER_TABLES: [&str; 4] = ["coverage", "symbology", "quarantine", "rule_failures"];

/// The market tables of a database that hold rows, with coverage, symbology and quarantine.
///
/// # Panics
/// When the database can't be read.
pub async fn tables(database: &Path) -> BTreeMap<String, TableSum> {
    let pool = open(database).await;
    let mut names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\\_data' ESCAPE '\\'",
    )
    .fetch_all(&pool)
    .await
    .expect("the tables' names can be read");
    names.extend(OTHER_TABLES.map(str::to_owned));
    let mut sums = BTreeMap::new();
    for name in names {
        let sum = table(&pool, &name).await;
        if sum.rows > 0 {
            sums.insert(name, sum);
        }
    }
    pool.close().await;
    sums
}

/// One number or text from a database.
///
/// # Panics
/// When the query fails.
pub async fn scalar<T>(database: &Path, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    let pool = open(database).await;
    let value = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&pool)
        .await
        .expect("the query can be answered");
    pool.close().await;
    value
}

/// Changes a database.
///
/// # Panics
/// When the statement fails.
pub async fn execute(database: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(database);
    let pool = SqlitePool::connect_with(options)
        .await
        .expect("the database can be opened");
    sqlx::query(sql)
        .execute(&pool)
        .await
        .expect("the statement can be executed");
    pool.close().await;
}

async fn open(database: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(
            SqliteConnectOptions::new()
                .filename(database)
                .read_only(true),
        )
        .await
        .expect("the database can be opened")
}

async fn table(pool: &SqlitePool, name: &str) -> TableSum {
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
        .bind(name)
        .fetch_all(pool)
        .await
        .expect("the columns' names can be read");
    let quoted: Vec<_> = columns
        .iter()
        .filter(|column| !CIRCUMSTANCES.contains(&column.as_str()))
        .map(|column| format!("quote({column})"))
        .collect();
    let order: Vec<_> = (1..=columns.len())
        .map(|number| number.to_string())
        .collect();
    let (row, order) = (quoted.join(" || ',' || "), order.join(", "));
    let sql = format!("SELECT {row} FROM (SELECT * FROM {name} ORDER BY {order})");
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(pool);
    let mut sum = Sha256::new();
    let mut count = 0;
    while let Some(row) = rows.try_next().await.expect("the rows can be read") {
        let text: String = row.try_get(0).expect("a row is text");
        sum.update(text.as_bytes());
        sum.update(b"\n");
        count += 1;
    }
    TableSum {
        rows: count,
        sha256: common::hex(&sum.finalize()),
    }
}
