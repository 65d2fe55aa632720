//! Rows into an open transaction of `PostgreSQL`. What is one block goes by one INSERT; what is more by
//! binary COPY, as a task of its own: it sends while the next rows are prepared, and can be let go at any
//! moment without leaving a connection in the middle of something.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::StoreError;
use super::super::copy::{CopyColumn, CopyEncoder};
use super::super::engine::{PgSession, Transaction};
use super::super::rows::quoted_list;
use super::super::statement::answered;
use super::encode::EncodedRows;
use super::insert_few::InsertFew;

/// Blocks between who inserts and the connection.
const BLOCKS_AHEAD: usize = 2;

/// A transaction that rows are copied into.
#[derive(Debug)]
pub(super) struct CopyIn {
    sql: String,
    few: InsertFew,
    state: State,
    /// Rows that the database says it took.
    taken: u64,
    /// Rows that were sent.
    sent: u64,
}

#[derive(Debug)]
enum State {
    Idle(Transaction),
    /// The first rows, which may be all.
    Holding(PgSession, EncodedRows),
    Copying {
        rows: mpsc::Sender<Vec<u8>>,
        task: AbortOnDrop,
    },
    /// A COPY failed, and its connection is given up.
    Failed,
}

/// A COPY that is under way; nobody waits for one that is let go.
#[derive(Debug)]
struct AbortOnDrop(JoinHandle<Result<(PgSession, u64), StoreError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl CopyIn {
    /// Into a table by its name in SQL.
    pub(super) fn new(session: PgSession, table: &str, columns: &[CopyColumn]) -> Self {
        let names = quoted_list(columns.iter().map(|column| &column.name));
        Self {
            sql: format!("COPY {table} ({names}) FROM STDIN (FORMAT binary)"),
            few: InsertFew::new(table, columns),
            state: State::Idle(Transaction::Postgres(session)),
            taken: 0,
            sent: 0,
        }
    }

    /// Takes rows; a COPY begins with the second block of them.
    pub(super) async fn send(&mut self, block: EncodedRows) -> Result<(), StoreError> {
        if block.rows == 0 {
            return Ok(());
        }
        self.sent += block.rows;
        let first = match std::mem::replace(&mut self.state, State::Failed) {
            State::Idle(Transaction::Postgres(session)) => {
                self.state = State::Holding(session, block);
                return Ok(());
            }
            State::Holding(session, first) => {
                let (rows, received) = mpsc::channel(BLOCKS_AHEAD);
                let task = tokio::spawn(copy(session, self.sql.clone(), received));
                let task = AbortOnDrop(task);
                self.state = State::Copying { rows, task };
                Some(first)
            }
            other => {
                self.state = other;
                None
            }
        };
        let State::Copying { rows, .. } = &self.state else {
            return Err(failed_before());
        };
        for block in first.into_iter().chain([block]) {
            if rows.send(block.bytes).await.is_err() {
                // The task has ended, and says why.
                return self.finish().await.and(Err(failed_before()));
            }
        }
        Ok(())
    }

    /// Ends what is under way; how many rows the database has taken, which are all.
    pub(super) async fn finish(&mut self) -> Result<u64, StoreError> {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::Copying { rows, mut task } => {
                drop(rows);
                let ended = (&mut task.0).await;
                let (session, taken) = ended.map_err(|_| failed_before())??;
                self.taken += taken;
                State::Idle(Transaction::Postgres(session))
            }
            State::Holding(mut session, rows) => {
                self.taken += self.few.execute(&rows, &mut session.connection).await?;
                State::Idle(Transaction::Postgres(session))
            }
            State::Idle(transaction) => State::Idle(transaction),
            State::Failed => return Err(failed_before()),
        };
        if self.taken == self.sent {
            return Ok(self.taken);
        }
        Err(StoreError::Accounts(format!(
            "the database took {} rows of {}",
            self.taken, self.sent
        )))
    }

    pub(super) async fn transaction(&mut self) -> Result<&mut Transaction, StoreError> {
        self.finish().await?;
        match &mut self.state {
            State::Idle(transaction) => Ok(transaction),
            State::Holding(..) | State::Copying { .. } | State::Failed => Err(failed_before()),
        }
    }

    pub(super) async fn into_transaction(mut self) -> Result<Transaction, StoreError> {
        self.finish().await?;
        match self.state {
            State::Idle(transaction) => Ok(transaction),
            State::Holding(..) | State::Copying { .. } | State::Failed => Err(failed_before()),
        }
    }
}

/// Copies what comes; the session again, and the rows that the database counted. After an error the
/// session is dropped, and with it the connection.
async fn copy(
    mut session: PgSession,
    sql: String,
    mut blocks: mpsc::Receiver<Vec<u8>>,
) -> Result<(PgSession, u64), StoreError> {
    let mut copy = session.connection.copy_in_raw(&sql).await?;
    let mut header = Vec::new();
    CopyEncoder::begin(&mut header);
    copy.send(header).await?;
    while let Some(block) = blocks.recv().await {
        answered(copy.send(block)).await?;
    }
    let mut trailer = Vec::new();
    CopyEncoder::end(&mut trailer);
    copy.send(trailer).await?;
    let rows = answered(copy.finish()).await?;
    Ok((session, rows))
}

/// A COPY has failed before, or its task did.
fn failed_before() -> StoreError {
    StoreError::Away(sqlx::Error::WorkerCrashed)
}
