//! A transaction that reads one state of the database for as long as it takes, and can't write.

use super::super::StoreError;
use super::super::engine::{Pools, Transaction};
use super::super::statement::statement;

/// A reader may take its time: whoever looks at the rows may stop in the middle. And no page waits for
/// more than its own rows: whatever the statistics say, rows come by the index in the index's order,
/// and not out of a sort of all that lies in the range.
const SETTINGS: [&str; 6] = [
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL enable_bitmapscan = off",
    "SET LOCAL enable_sort = off",
    "SET LOCAL jit = off",
];

impl Pools {
    /// Begins a transaction that sees the database as it is now, and changes nothing.
    pub(in crate::store) async fn begin_snapshot(&self) -> Result<Transaction, StoreError> {
        let mut transaction = match self {
            Self::Sqlite { read, .. } => return Ok(Transaction::Sqlite(read.begin().await?)),
            Self::Postgres(_) => self.begin().await?,
        };
        let first = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        for setting in std::iter::once(first).chain(SETTINGS) {
            statement(setting).execute(&mut transaction).await?;
        }
        Ok(transaction)
    }
}
