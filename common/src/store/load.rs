//! The load: rows, quarantine, coverage, symbology and settlement of one chunk, in one transaction.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::coverage::{held_by_others, insert_slices};
use super::insert::{InsertStatements, arguments};
use super::quarantine::{Judgement, QuarantinedRecord, insert_failures, insert_quarantined};
use super::rows::{RowBlock, count, quoted};
use super::settle::{check_fence, fence};
use super::symbology::{insert_windows, symbol_windows};
use super::{Claim, Held, Store, StoreError};
use crate::as_u64;
use crate::chunk::{ChunkEvent, ChunkState};
use crate::configuration::mapping::Mapping;
use crate::quality::RuleFailures;
use crate::time::Nanos;
use crate::vendor::Resolution;

/// What a chunk's load came to.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Records that were asked for and received.
    pub fetched: u64,
    /// Records that came along and were not asked for.
    pub filtered: u64,
    /// Rows in the table.
    pub loaded: u64,
    /// Records in the quarantine.
    pub quarantined: u64,
    /// Records that another chunk holds.
    pub covered: u64,
    /// How often each rule failed that failed at all.
    pub failures: Vec<RuleFailures>,
    /// The slices that the chunk now holds.
    pub slices: Vec<Held>,
    /// What the symbols meant.
    pub resolution: Resolution,
    /// The archived stream that the records were read from.
    pub archive_object: String,
}

/// An open load. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Load {
    pub(super) transaction: Transaction<'static, Sqlite>,
    claim: Claim,
    /// The state that the chunk is in until it is committed: running, or settled before.
    from: ChunkState,
    targets: Targets,
    market_table: String,
    insert: InsertStatements,
    rules_version: Arc<str>,
    rows: u64,
    quarantined: u64,
}

/// Where a load's rows and its quarantine go, by their names in SQL.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    pub(super) table: String,
    pub(super) quarantine: &'static str,
}

impl Targets {
    /// The mapping's table, and the quarantine.
    pub(super) fn of(mapping: &Mapping) -> Self {
        Self {
            table: quoted(&mapping.table),
            quarantine: "quarantine",
        }
    }
}

impl Store {
    /// Begins the load of a claimed chunk.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn begin_load(&self, claim: &Claim, mapping: &Mapping) -> Result<Load, StoreError> {
        let transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let targets = Targets::of(mapping);
        let mut load = Load::new(transaction, claim, mapping, ChunkState::Running, targets);
        load.check_fence().await?;
        Ok(load)
    }
}

impl Load {
    pub(super) fn new(
        transaction: Transaction<'static, Sqlite>,
        claim: &Claim,
        mapping: &Mapping,
        from: ChunkState,
        targets: Targets,
    ) -> Self {
        Self {
            transaction,
            from,
            insert: InsertStatements::new(&targets.table, mapping),
            targets,
            market_table: mapping.table.clone(),
            rules_version: mapping.version(&claim.chunk.quality.rules).into(),
            claim: claim.clone(),
            rows: 0,
            quarantined: 0,
        }
    }

    pub(super) async fn check_fence(&mut self) -> Result<(), StoreError> {
        check_fence(&mut self.transaction, &self.claim, self.from).await
    }

    /// The slices within the chunk's days that other chunks hold.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn held_by_others(&mut self) -> Result<Vec<Held>, StoreError> {
        held_by_others(&mut self.transaction, &self.claim.chunk).await
    }

    /// Inserts rows, in the order of the stream.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert(&mut self, block: &RowBlock) -> Result<(), StoreError> {
        let mut start = 0;
        while start < block.len() {
            let rows = self.insert.fitting(block.len() - start);
            let sql = self.insert.sql(rows);
            let arguments = arguments(block, start, rows, self.claim.chunk.id.0)?;
            let inserted = sqlx::query_with(AssertSqlSafe(sql), arguments)
                .execute(&mut *self.transaction)
                .await?;
            if inserted.rows_affected() != as_u64(rows) {
                return Err(StoreError::Unreadable(
                    "fewer rows than were inserted".into(),
                ));
            }
            self.rows += inserted.rows_affected();
            start += rows;
        }
        Ok(())
    }

    /// Puts records into the quarantine.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn quarantine(
        &mut self,
        records: &[QuarantinedRecord],
        now: Nanos,
    ) -> Result<(), StoreError> {
        let judgement = Judgement {
            chunk: self.claim.chunk.id,
            attempt: self.claim.epoch + self.epochs(),
            rules_version: &self.rules_version,
            now,
        };
        let table = self.targets.quarantine;
        insert_quarantined(&mut self.transaction, table, &judgement, records).await?;
        self.quarantined += as_u64(records.len());
        Ok(())
    }

    /// What happens to the chunk when it is committed.
    fn event(&self) -> ChunkEvent {
        match self.from {
            ChunkState::Running => ChunkEvent::Load,
            _ => ChunkEvent::Replay,
        }
    }

    /// Epochs that the commit adds: what was claimed has one of its own already.
    fn epochs(&self) -> i64 {
        i64::from(self.event() == ChunkEvent::Replay)
    }

    /// Refuses to go on unless every record is accounted for, and each row was taken.
    pub(super) fn check_accounts(&self, loaded: &Loaded) -> Result<(), StoreError> {
        let accounted = loaded.loaded + loaded.quarantined + loaded.covered;
        let taken = (loaded.loaded, loaded.quarantined) == (self.rows, self.quarantined);
        if loaded.fetched == accounted && taken {
            return Ok(());
        }
        Err(StoreError::Accounts(format!(
            "{} rows and {} quarantined for a chunk of {} records, {} of them accounted for",
            self.rows, self.quarantined, loaded.fetched, accounted
        )))
    }

    /// Settles the chunk and commits: from now on it is done.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost meanwhile; the tables are as before.
    pub async fn commit(mut self, loaded: &Loaded, now: Nanos) -> Result<(), StoreError> {
        self.check_accounts(loaded)?;
        let chunk = &self.claim.chunk;
        // What a chunk that was done holds stays its own.
        if self.from != ChunkState::Done {
            insert_slices(&mut self.transaction, chunk, &loaded.slices).await?;
        }
        let windows = symbol_windows(chunk, &loaded.resolution);
        insert_windows(&mut self.transaction, &chunk.dataset, &windows).await?;
        insert_failures(&mut self.transaction, chunk.id, &loaded.failures).await?;
        let to = self.from.after(self.event())?;
        let epochs = self.epochs();
        let updated = sqlx::query(
            "UPDATE chunks SET state = ?, epoch = epoch + ?, expected_records = ?,
                 fetched_records = ?, filtered_records = ?, loaded_records = ?,
                 quarantined_records = ?, covered_records = ?, archive_object = ?,
                 market_table = ?, rules_version = ?, error = NULL, owner = NULL,
                 lease_until = NULL, updated_at = ?
             WHERE id = ? AND epoch = ? AND state = ?",
        )
        .bind(to.name())
        .bind(epochs)
        .bind(count(loaded.fetched))
        .bind(count(loaded.fetched))
        .bind(count(loaded.filtered))
        .bind(count(loaded.loaded))
        .bind(count(loaded.quarantined))
        .bind(count(loaded.covered))
        .bind(&loaded.archive_object)
        .bind(&self.market_table)
        .bind(&*self.rules_version)
        .bind(now.0)
        .bind(chunk.id.0)
        .bind(self.claim.epoch)
        .bind(self.from.name())
        .execute(&mut *self.transaction)
        .await?;
        fence(&self.claim, updated.rows_affected())?;
        self.transaction.commit().await?;
        Ok(())
    }
}

impl AsMut<Self> for Load {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}
