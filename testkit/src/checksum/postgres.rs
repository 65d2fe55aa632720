//! The same over a `PostgreSQL` server's tables, and what one database has more or less than another.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use super::{CIRCUMSTANCES, OTHER_TABLES, TableSum};

/// The market tables of a server's database that hold rows, with coverage, symbology and quarantine.
///
/// # Panics
/// When the database can't be read.
pub async fn tables_at(url: &str) -> BTreeMap<String, TableSum> {
    let pool = open(url).await;
    let mut names = market_tables(&pool).await;
    names.extend(OTHER_TABLES.map(str::to_owned));
    let mut sums = BTreeMap::new();
    for name in names {
        let rows = rows_of(&pool, &name, &CIRCUMSTANCES).await;
        let mut rows = Rows::of(&pool, &rows);
        while rows.next().await.is_some() {}
        let sum = rows.sum();
        if sum.rows > 0 {
            sums.insert(name, sum);
        }
    }
    pool.close().await;
    sums
}

/// The names of a database's market tables, in their order.
///
/// # Panics
/// When the database can't be read.
pub async fn market_tables_at(url: &str) -> Vec<String> {
    let pool = open(url).await;
    let names = market_tables(&pool).await;
    pool.close().await;
    names
}

/// How what was found differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was expected.
    pub expected: TableSum,
    /// What was found.
    pub found: TableSum,
    /// Rows that were expected and not found.
    pub lost: u64,
    /// Rows that were found more often than expected.
    pub doubled: u64,
    /// Rows that were found and not expected at all.
    pub foreign: u64,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.expected == self.found && self.lost + self.doubled + self.foreign == 0
    }
}

/// Compares a table's rows in two databases, whatever the columns `left_out` hold.
///
/// # Panics
/// When a database can't be read.
pub async fn compare_table(
    expected: &str,
    found: &str,
    table: &str,
    left_out: &[&str],
) -> Difference {
    let pool = open(expected).await;
    let rows = rows_of(&pool, table, left_out).await;
    pool.close().await;
    compare_rows(expected, found, &rows).await
}

/// Compares what a query of one column of text finds in two databases, in whatever order.
///
/// # Panics
/// When a database can't be read, or the query fails.
pub async fn compare_rows(expected: &str, found: &str, query: &str) -> Difference {
    let pools = (open(expected).await, open(found).await);
    let (mut expected, mut found) = (Rows::of(&pools.0, query), Rows::of(&pools.1, query));
    let (mut wanted, mut seen) = (expected.next().await, found.next().await);
    let (mut lost, mut doubled, mut foreign) = (0, 0, 0);
    // The greatest that was expected so far: one more of it is doubled.
    let mut last = None;
    loop {
        let order = match (&wanted, &seen) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(wanted), Some(seen)) => wanted.cmp(seen),
        };
        match order {
            Ordering::Less => lost += 1,
            Ordering::Equal => {}
            Ordering::Greater if last == seen => doubled += 1,
            Ordering::Greater => foreign += 1,
        }
        if order.is_le() {
            last = wanted;
            wanted = expected.next().await;
        }
        if order.is_ge() {
            seen = found.next().await;
        }
    }
    Difference {
        expected: expected.sum(),
        found: found.sum(),
        lost,
        doubled,
        foreign,
    }
}

/// A query's rows as texts, byte by byte in order, and their checksum so far.
struct Rows<'a> {
    rows: BoxStream<'a, Result<String, sqlx::Error>>,
    sum: Sha256,
    count: u64,
}

impl<'a> Rows<'a> {
    fn of(pool: &'a PgPool, query: &str) -> Self {
        let sql = format!(
            "SELECT of_row FROM ({query}) AS of_rows (of_row) ORDER BY of_row COLLATE \"C\""
        );
        Self {
            rows: sqlx::query_scalar(AssertSqlSafe(sql)).fetch(pool),
            sum: Sha256::new(),
            count: 0,
        }
    }

    async fn next(&mut self) -> Option<String> {
        let row = self.rows.try_next().await.expect("the rows can be read")?;
        self.sum.update(row.as_bytes());
        self.sum.update(b"\n");
        self.count += 1;
        Some(row)
    }

    fn sum(self) -> TableSum {
        TableSum {
            rows: self.count,
            sha256: common::hex(&self.sum.finalize()),
        }
    }
}

/// The query of a table's rows as texts, without some of its columns.
async fn rows_of(pool: &PgPool, table: &str, left_out: &[&str]) -> String {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .expect("the columns' names can be read");
    let kept = columns
        .iter()
        .filter(|column| !left_out.contains(&column.as_str()));
    let kept: Vec<String> = kept.map(|column| format!("{column:?}")).collect();
    // A row's text tells an absent value from an empty one, and quotes what would be ambiguous.
    format!(
        "SELECT kept::text FROM (SELECT {} FROM {table}) AS kept",
        kept.join(", ")
    )
}

async fn market_tables(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND NOT relispartition AND relname LIKE '%\\_data' ORDER BY relname",
    )
    .fetch_all(pool)
    .await
    .expect("the tables' names can be read")
}

async fn open(url: &str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .connect(url)
        .await
        .expect("the database can be reached")
}
