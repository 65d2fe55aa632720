//! Statements that either engine takes: one text, `$1` for a value, and whole numbers and text alone.
//!
//! The control tables have the same columns in both engines, so that a verb is one statement and not
//! two that drift apart. What only one engine knows stands in `connection`, `load` and `table`.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    AssertSqlSafe, Decode, PgConnection, PgPool, Postgres, Row as _, Sqlite, SqliteConnection,
    SqlitePool, Type,
};

use super::StoreError;
use super::clock::Moment;
use super::engine::Transaction;
use crate::chunk::{ChunkId, JobId};
use crate::money::Usd;
use crate::time::Nanos;

/// A statement and its values.
#[derive(Debug)]
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Boolean(bool),
    Moment(Moment),
}

/// Where a statement goes: a pool, or a transaction's connection.
pub(super) enum Target<'a> {
    SqlitePool(&'a SqlitePool),
    Sqlite(&'a mut SqliteConnection),
    PostgresPool(&'a PgPool),
    Postgres(&'a mut PgConnection),
}

/// A row of an answer.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A statement without values yet. Names in it are ours or quoted; a user's text is a value, never a
/// part of it.
pub(super) fn statement(sql: impl Into<String>) -> Statement {
    Statement {
        sql: sql.into(),
        values: Vec::new(),
    }
}

/// Rows that one statement takes at most; more would not be faster.
pub(super) const ROWS_PER_STATEMENT: usize = 500;

/// `($1, $2), ($3, $4), …`: so many rows of so many values, the first of them number `first`.
pub(super) fn tuples(first: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let from = first + row * columns;
        let values: Vec<_> = (from..from + columns)
            .map(|value| format!("${value}"))
            .collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// As [`tuples`], for a statement that has no other values. `SQLite` looks a numbered value up among
/// all of them, which takes minutes for a million rows; it gets values without numbers.
pub(super) fn all_tuples(on: &Transaction, rows: usize, columns: usize) -> String {
    match on {
        Transaction::Postgres(_) => tuples(1, rows, columns),
        Transaction::Sqlite(_) => {
            let row = format!("({})", vec!["?"; columns].join(", "));
            vec![row; rows].join(", ")
        }
    }
}

/// How long an answer of a server may take: the server ends a statement before that, so what comes
/// later comes never, as when its host is gone without a word.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(16 * 60);

/// A server's answer, if it comes.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, asked).await;
    answer.unwrap_or_else(|_late| {
        let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Err(sqlx::Error::Io(late))
    })
}

impl Statement {
    /// The next value.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Changes the database; how many rows were changed.
    pub(super) async fn execute<'a>(self, on: impl Into<Target<'a>>) -> Result<u64, StoreError> {
        let changed = match on.into() {
            Target::SqlitePool(pool) => self.for_sqlite().execute(pool).await?.rows_affected(),
            Target::Sqlite(connection) => {
                self.for_sqlite().execute(connection).await?.rows_affected()
            }
            Target::PostgresPool(pool) => answered(self.for_postgres().execute(pool))
                .await?
                .rows_affected(),
            Target::Postgres(connection) => answered(self.for_postgres().execute(connection))
                .await?
                .rows_affected(),
        };
        Ok(changed)
    }

    /// All rows.
    pub(super) async fn fetch_all<'a>(
        self,
        on: impl Into<Target<'a>>,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match on.into() {
            Target::SqlitePool(pool) => sqlite(self.for_sqlite().fetch_all(pool).await?),
            Target::Sqlite(connection) => sqlite(self.for_sqlite().fetch_all(connection).await?),
            Target::PostgresPool(pool) => {
                postgres(answered(self.for_postgres().fetch_all(pool)).await?)
            }
            Target::Postgres(connection) => {
                postgres(answered(self.for_postgres().fetch_all(connection)).await?)
            }
        })
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional<'a>(
        self,
        on: impl Into<Target<'a>>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(match on.into() {
            Target::SqlitePool(pool) => sqlite(self.for_sqlite().fetch_optional(pool).await?),
            Target::Sqlite(connection) => {
                sqlite(self.for_sqlite().fetch_optional(connection).await?)
            }
            Target::PostgresPool(pool) => {
                postgres(answered(self.for_postgres().fetch_optional(pool)).await?)
            }
            Target::Postgres(connection) => {
                postgres(answered(self.for_postgres().fetch_optional(connection)).await?)
            }
        }
        .pop())
    }

    /// The row that there must be.
    pub(super) async fn fetch_one<'a>(self, on: impl Into<Target<'a>>) -> Result<Row, StoreError> {
        let row = self.fetch_optional(on).await?;
        row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    fn for_sqlite(&self) -> Query<'_, Sqlite, SqliteArguments> {
        let query = sqlx::query(AssertSqlSafe(self.sql.as_str()));
        self.values.iter().fold(query, |query, value| match value {
            Value::Integer(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.as_deref()),
            Value::Boolean(value) => query.bind(*value),
            Value::Moment(Moment::Now) => query.bind(Nanos::now().0),
            Value::Moment(Moment::At(time)) => query.bind(time.0),
        })
    }

    fn for_postgres(&self) -> Query<'_, Postgres, PgArguments> {
        let query = sqlx::query(AssertSqlSafe(self.sql.as_str()));
        self.values.iter().fold(query, |query, value| match value {
            Value::Integer(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.as_deref()),
            Value::Boolean(value) => query.bind(*value),
            // The statement asks the database's clock where there is none.
            Value::Moment(Moment::Now) => query.bind(None::<i64>),
            Value::Moment(Moment::At(time)) => query.bind(Some(time.0)),
        })
    }
}

fn sqlite(rows: impl IntoIterator<Item = SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Sqlite).collect()
}

fn postgres(rows: impl IntoIterator<Item = PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}

/// What both engines give as one type: `i64`, `bool`, `String`, and options of them.
pub(super) trait Readable:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Readable for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl Row {
    /// The value of a column.
    pub(super) fn get<T: Readable>(&self, column: &str) -> Result<T, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// The value of a column by its place, from 0.
    pub(super) fn at<T: Readable>(&self, index: usize) -> Result<T, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(index)?,
            Self::Postgres(row) => row.try_get(index)?,
        })
    }
}

macro_rules! values {
    ($($from:ty => $variant:ident: $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$variant(convert(value))
            }
        }
    )*};
}

values! {
    i64 => Integer: |value| Some(value);
    Option<i64> => Integer: |value| value;
    i32 => Integer: |value| Some(value.into());
    u32 => Integer: |value| Some(value.into());
    Option<u32> => Integer: |value| value.map(i64::from);
    Nanos => Integer: |value| Some(value.0);
    Usd => Integer: |value| Some(value.0);
    ChunkId => Integer: |value| Some(value.0);
    JobId => Integer: |value| Some(value.0);
    &str => Text: |value| Some(value.to_owned());
    &String => Text: |value| Some(value.clone());
    String => Text: |value| Some(value);
    Option<&str> => Text: |value| value.map(str::to_owned);
    Option<String> => Text: |value| value;
    bool => Boolean: |value| value;
    Moment => Moment: |value| value;
}
