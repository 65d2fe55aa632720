//! The integrity checks, run: all of them see one state of the database, in a transaction that can't
//! write, and each gets so much time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::engine::{PgSession, Pools, SNAPSHOT, Transaction};
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::integrity::IntegrityCheck;

/// Instructions of `SQLite` between two looks at the clock: some microseconds' worth.
const INSTRUCTIONS_PER_LOOK: i32 = 10_000;
/// What SQLite, and PostgreSQL, say of a statement that was ended.
const INTERRUPTED: [&str; 2] = ["9", "57014"];
/// A deadline that never comes.
const NEVER: u64 = u64::MAX;

/// A row that a check found: its columns by name.
pub type FoundRow = Map<String, Value>;

/// What came of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// The first rows that offend; none where all is well.
    Found(Vec<FoundRow>),
    /// It took longer than it may.
    TimedOut,
    /// The database could not answer it, and why.
    Failed(String),
}

/// An open look at one state of the database. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Checks {
    transaction: Transaction,
    limit: Duration,
    clock: Clock,
}

/// When a statement of `SQLite` is to end, in milliseconds since the beginning.
#[derive(Debug)]
struct Clock {
    began: Instant,
    deadline: Arc<AtomicU64>,
}

impl Store {
    /// Takes a snapshot for checks that may take so long each.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn begin_checks(&self, limit: Duration) -> Result<Checks, StoreError> {
        let clock = Clock {
            began: Instant::now(),
            deadline: Arc::new(NEVER.into()),
        };
        let transaction = match &self.pools {
            Pools::Sqlite { read, .. } => {
                let mut transaction = read.begin().await?;
                let (began, deadline) = (clock.began, clock.deadline.clone());
                transaction
                    .lock_handle()
                    .await?
                    .set_progress_handler(INSTRUCTIONS_PER_LOOK, move || {
                        milliseconds(began.elapsed()) < deadline.load(Ordering::Relaxed)
                    });
                Transaction::Sqlite(transaction)
            }
            Pools::Postgres(pool) => {
                let session = PgSession::begin(pool, SNAPSHOT).await?;
                let mut transaction = Transaction::Postgres(session);
                let set = "SELECT set_config('statement_timeout', $1, true)";
                let limit = milliseconds(limit).to_string();
                statement(set).bind(limit).execute(&mut transaction).await?;
                transaction
            }
        };
        Ok(Checks {
            transaction,
            limit,
            clock,
        })
    }
}

impl Checks {
    /// Runs a check.
    ///
    /// # Errors
    /// [`StoreError`] when the database is away or damaged. What else goes wrong is that check's answer.
    pub async fn run(&mut self, check: &IntegrityCheck) -> Result<Checked, StoreError> {
        let is_postgres = matches!(self.transaction, Transaction::Postgres(_));
        let query = check.query(is_postgres);
        if !is_postgres {
            self.clock.start(self.limit);
            let rows = statement(query).fetch_all(&mut self.transaction).await;
            self.clock.stop();
            return answer(rows);
        }
        // What fails ends a transaction of PostgreSQL, unless it goes back to where it stood.
        statement("SAVEPOINT one_check")
            .execute(&mut self.transaction)
            .await?;
        let sql = format!("SELECT row_to_json(found)::text FROM (\n{query}\n) AS found");
        let answer = answer(statement(sql).fetch_all(&mut self.transaction).await)?;
        let back = match answer {
            Checked::Found(_) => "RELEASE SAVEPOINT one_check",
            Checked::TimedOut | Checked::Failed(_) => "ROLLBACK TO SAVEPOINT one_check",
        };
        statement(back).execute(&mut self.transaction).await?;
        Ok(answer)
    }

    /// Lets go of the snapshot.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn end(mut self) -> Result<(), StoreError> {
        if let Transaction::Sqlite(transaction) = &mut self.transaction {
            transaction.lock_handle().await?.remove_progress_handler();
        }
        self.transaction.rollback().await
    }
}

impl Clock {
    fn start(&self, limit: Duration) {
        let deadline = milliseconds(self.began.elapsed() + limit);
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    fn stop(&self) {
        self.deadline.store(NEVER, Ordering::Relaxed);
    }
}

impl Drop for Clock {
    /// The connection may go back to its pool before the handler is taken from it.
    fn drop(&mut self) {
        self.stop();
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER)
}

fn answer(rows: Result<Vec<Row>, StoreError>) -> Result<Checked, StoreError> {
    match rows {
        Ok(rows) => {
            let rows: Result<_, _> = rows.iter().map(found).collect();
            Ok(Checked::Found(rows?))
        }
        // It is away, or no database any more.
        Err(error @ (StoreError::Away(_) | StoreError::Address(_))) => Err(error),
        Err(StoreError::Database(error)) => match code(&error) {
            Some(code) if INTERRUPTED.contains(&&*code) => Ok(Checked::TimedOut),
            Some(code) if is_of_damage(&code) => Err(error.into()),
            _ => Ok(Checked::Failed(innermost(&error))),
        },
        Err(error) => Ok(Checked::Failed(innermost(&error))),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// Whether the whole database is at fault and not the one question: pages of it are none, or can't be
/// read.
fn is_of_damage(code: &str) -> bool {
    // SQLite tells it in the low byte of a number: I/O, a damaged image. PostgreSQL in the class: errors
    // of the system, and internal ones such as damaged pages and indexes.
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 10 | 11),
        _ => code.starts_with("58") || code.starts_with("XX"),
    }
}

/// The words of the first cause.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

fn found(row: &Row) -> Result<FoundRow, StoreError> {
    let Row::Sqlite(row) = row else {
        let text: String = row.at(0)?;
        return serde_json::from_str(&text)
            .map_err(|_| StoreError::Unreadable("a row that is no JSON object".into()));
    };
    let columns = row.columns().iter();
    let named = columns.map(|column| Ok((column.name().to_owned(), value(row, column.ordinal())?)));
    named.collect()
}

fn value(row: &SqliteRow, index: usize) -> Result<Value, StoreError> {
    let raw = row.try_get_raw(index)?;
    let kind = raw.type_info().name().to_owned();
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match kind.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(index)?.into(),
        "REAL" => row.try_get_unchecked::<f64, _>(index)?.into(),
        _ => row.try_get_unchecked::<String, _>(index)?.into(),
    })
}
