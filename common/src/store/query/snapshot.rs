//! A transaction that reads one state of the database for as long as it takes, and can't write.

use super::super::StoreError;
use super::super::engine::{PgSession, Pools, SNAPSHOT, Transaction};
use super::super::statement::statement;

/// A reader may take its time: whoever looks at the rows may stop in the middle. And no page waits for
/// more than its own rows: whatever the statistics say, rows come by the index in the index's order,
/// and not out of a sort of all that lies in the range.
const SETTINGS: &str = "
    SELECT set_config('idle_in_transaction_session_timeout', '0', true),
        set_config('statement_timeout', '0', true), set_config('enable_seqscan', 'off', true),
        set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
        set_config('jit', 'off', true)";

impl Pools {
    /// Begins a transaction that sees the database as it is now, and changes nothing.
    pub(in crate::store) async fn begin_reading(&self) -> Result<Transaction, StoreError> {
        let pool = match self {
            Self::Sqlite { read, .. } => return Ok(Transaction::Sqlite(read.begin().await?)),
            Self::Postgres(pool) => pool,
        };
        let session = PgSession::begin(pool, SNAPSHOT).await?;
        let mut transaction = Transaction::Postgres(session);
        statement(SETTINGS).execute(&mut transaction).await?;
        Ok(transaction)
    }
}
