//! The two engines: their pools, and a transaction on either.

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use super::StoreError;
use super::statement::{Target, answered, statement};

/// The pools of a database.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// Readers see the last commit and never wait. There is one connection to write: `SQLite` has one
    /// writer, and waiting for it in our own queue is fair.
    Sqlite { read: SqlitePool, write: SqlitePool },
    /// One pool: whoever reads does not hold up who writes.
    Postgres(PgPool),
}

impl Pools {
    /// Where to read.
    pub(super) fn read(&self) -> Target<'_> {
        match self {
            Self::Sqlite { read, .. } => Target::SqlitePool(read),
            Self::Postgres(pool) => Target::PostgresPool(pool),
        }
    }

    /// Where to change something by one statement.
    pub(super) fn write(&self) -> Target<'_> {
        match self {
            Self::Sqlite { write, .. } => Target::SqlitePool(write),
            Self::Postgres(pool) => Target::PostgresPool(pool),
        }
    }

    /// Begins a transaction that changes something.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite { write, .. } => {
                let begun = write.begin_with("BEGIN IMMEDIATE").await?;
                Ok(Transaction::Sqlite(begun))
            }
            Self::Postgres(pool) => Ok(Transaction::Postgres(
                PgSession::begin(pool, "BEGIN").await?,
            )),
        }
    }

    /// Begins a transaction that changes nothing but temporary tables, which belong to the
    /// connection: the reader's is as good as any.
    pub(super) async fn begin_rehearsal(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite { read, .. } => Ok(Transaction::Sqlite(read.begin().await?)),
            Self::Postgres(_) => self.begin().await,
        }
    }

    /// The members of a JSON list of texts as a table `alias`, with a column `value`.
    pub(super) fn json_list(&self, list: &str, alias: &str) -> String {
        match self {
            Self::Sqlite { .. } => format!("json_each({list}) AS {alias}"),
            Self::Postgres(_) => {
                format!("jsonb_array_elements_text(CAST({list} AS jsonb)) AS {alias} (value)")
            }
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// How a transaction takes its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Shared,
    Alone,
}

/// An open transaction. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(PgSession),
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(session) => session.end("COMMIT").await?,
        }
        Ok(())
    }

    /// Waits until it is this transaction's turn at something, until its end. `Shared` turns go
    /// together. Where there is one writer it is always its turn.
    pub(super) async fn turn(&mut self, at: &str, turn: Turn) -> Result<(), StoreError> {
        let Self::Postgres(session) = self else {
            return Ok(());
        };
        let lock = match turn {
            Turn::Shared => "pg_advisory_xact_lock_shared",
            Turn::Alone => "pg_advisory_xact_lock",
        };
        statement(format!("SELECT {lock}(hashtextextended($1, 0))"))
            .bind(at)
            .execute(Target::Postgres(&mut session.connection))
            .await?;
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(session) => session.end("ROLLBACK").await?,
        }
        Ok(())
    }
}

impl<'a> From<&'a mut Transaction> for Target<'a> {
    fn from(transaction: &'a mut Transaction) -> Self {
        match transaction {
            Transaction::Sqlite(transaction) => Target::Sqlite(&mut *transaction),
            Transaction::Postgres(session) => Target::Postgres(&mut session.connection),
        }
    }
}

/// A connection inside a transaction. Unless the transaction is ended, the connection is closed: what
/// it was in the middle of, a COPY for example, is not known, and the server rolls back by itself.
#[derive(Debug)]
pub(super) struct PgSession {
    pub(super) connection: PoolConnection<Postgres>,
    open: bool,
}

/// Begins a transaction of `PostgreSQL` that sees the database as it is now, and changes nothing.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

impl PgSession {
    pub(super) async fn begin(pool: &PgPool, how: &'static str) -> Result<Self, StoreError> {
        let mut session = Self {
            connection: pool.acquire().await?,
            open: true,
        };
        answered(sqlx::raw_sql(how).execute(&mut *session.connection)).await?;
        Ok(session)
    }

    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        answered(sqlx::raw_sql(how).execute(&mut *self.connection)).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for PgSession {
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}
