//! Where a load's rows go: into its transaction, by the engine's quickest way.

use sqlx::AssertSqlSafe;

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::rows::RowBlock;
use super::copy_in::CopyIn;
use super::encode::{EncodedRows, RowEncoder};
use super::insert::{InsertStatements, arguments};
use crate::as_u64;
use crate::chunk::ChunkId;
use crate::configuration::mapping::Mapping;

/// A transaction that takes rows, and the number of those that it took.
#[derive(Debug)]
pub(super) enum RowSink {
    /// Multi-row INSERT statements.
    Insert {
        transaction: Transaction,
        statements: InsertStatements,
        chunk: ChunkId,
        rows: u64,
    },
    /// Binary COPY, or one INSERT.
    Copy { copy: CopyIn, encoder: RowEncoder },
}

impl RowSink {
    pub(super) fn new(
        transaction: Transaction,
        table: &str,
        mapping: &Mapping,
        chunk: ChunkId,
    ) -> Self {
        match transaction {
            Transaction::Sqlite(_) => Self::Insert {
                transaction,
                statements: InsertStatements::new(table, mapping),
                chunk,
                rows: 0,
            },
            Transaction::Postgres(session) => {
                let encoder = RowEncoder::new(mapping, chunk);
                Self::Copy {
                    copy: CopyIn::new(session, table, encoder.columns()),
                    encoder,
                }
            }
        }
    }

    /// The transaction, with all rows in it.
    pub(super) async fn transaction(&mut self) -> Result<&mut Transaction, StoreError> {
        match self {
            Self::Insert { transaction, .. } => Ok(transaction),
            Self::Copy { copy, .. } => copy.transaction().await,
        }
    }

    /// The transaction, with all rows in it.
    pub(super) async fn into_transaction(self) -> Result<Transaction, StoreError> {
        match self {
            Self::Insert { transaction, .. } => Ok(transaction),
            Self::Copy { copy, .. } => copy.into_transaction().await,
        }
    }

    /// How many rows the database has taken, all that were inserted so far.
    pub(super) async fn finish(&mut self) -> Result<u64, StoreError> {
        match self {
            Self::Insert { rows, .. } => Ok(*rows),
            Self::Copy { copy, .. } => copy.finish().await,
        }
    }

    pub(super) async fn insert(&mut self, block: &RowBlock) -> Result<(), StoreError> {
        match self {
            Self::Copy { copy, encoder } => copy.send(encoder.encode(block)).await,
            Self::Insert {
                transaction: Transaction::Sqlite(transaction),
                statements,
                chunk,
                rows,
            } => {
                let mut start = 0;
                while start < block.len() {
                    let some = statements.fitting(block.len() - start);
                    let sql = statements.sql(some);
                    let arguments = arguments(block, start, some, chunk.0)?;
                    let inserted = sqlx::query_with(AssertSqlSafe(sql), arguments)
                        .execute(&mut **transaction)
                        .await?;
                    if inserted.rows_affected() != as_u64(some) {
                        return Err(not_all());
                    }
                    *rows += inserted.rows_affected();
                    start += some;
                }
                Ok(())
            }
            Self::Insert { .. } => Err(not_all()),
        }
    }

    pub(super) async fn insert_encoded(&mut self, rows: EncodedRows) -> Result<(), StoreError> {
        match self {
            Self::Copy { copy, .. } => copy.send(rows).await,
            Self::Insert { .. } => Err(not_all()),
        }
    }
}

/// Rows were lost on the way, which no engine does.
fn not_all() -> StoreError {
    StoreError::Accounts("fewer rows were taken than inserted".into())
}
