//! The load: rows, quarantine, coverage, symbology and settlement of one chunk, in one transaction.

mod copy_in;
mod encode;
mod insert;
mod insert_few;
mod sink;

use std::sync::Arc;

pub use self::encode::{EncodedRows, RowEncoder};
use self::sink::RowSink;
use super::coverage::{check_ownership, held_by_others, insert_slices, update_days};
use super::engine::Transaction;
use super::quarantine::{Judgement, QuarantinedRecord, insert_failures, insert_quarantined};
use super::rows::{RowBlock, count, quoted};
use super::settle::{check_fence, fence};
use super::statement::statement;
use super::symbology::{insert_windows, symbol_windows};
use super::{Claim, Held, Moment, Slice, Store, StoreError};
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
    /// The slices that the chunk now holds, and which of their days have records.
    pub slices: Vec<Slice>,
    /// What the symbols meant.
    pub resolution: Resolution,
    /// The archived stream that the records were read from.
    pub archive_object: String,
}

/// An open load. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Load {
    rows: RowSink,
    claim: Claim,
    /// The state that the chunk is in until it is committed: running, or settled before.
    from: ChunkState,
    targets: Targets,
    market_table: String,
    rules_version: Arc<str>,
    quarantined: u64,
    /// What others held when it was asked for.
    others: Option<Vec<Held>>,
    /// Whether what the chunk holds stays its own, and is not asked for anew.
    keeps_slices: bool,
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
        let transaction = self.pools.begin().await?;
        let targets = Targets::of(mapping);
        let mut load = Load::new(transaction, claim, mapping, ChunkState::Running, targets);
        load.check_fence().await?;
        Ok(load)
    }
}

impl Load {
    pub(super) fn new(
        transaction: Transaction,
        claim: &Claim,
        mapping: &Mapping,
        from: ChunkState,
        targets: Targets,
    ) -> Self {
        Self {
            rows: RowSink::new(transaction, &targets.table, mapping, claim.chunk.id),
            from,
            targets,
            market_table: mapping.table.clone(),
            rules_version: mapping.version(&claim.chunk.quality.rules).into(),
            claim: claim.clone(),
            quarantined: 0,
            others: None,
            keeps_slices: from == ChunkState::Done,
        }
    }

    /// Gives up the slices that the chunk holds: what it holds then comes with the commit.
    pub(super) async fn take_slices_anew(&mut self) -> Result<(), StoreError> {
        self.keeps_slices = false;
        let chunk = self.claim.chunk.id;
        statement("DELETE FROM coverage WHERE chunk_id = $1")
            .bind(chunk)
            .execute(self.rows.transaction().await?)
            .await?;
        Ok(())
    }

    /// Commits what was done in the transaction, without a settlement of its own.
    pub(super) async fn commit_as_it_is(self) -> Result<(), StoreError> {
        self.rows.into_transaction().await?.commit().await
    }

    /// The load's transaction; rows that are on their way are in it first.
    pub(super) async fn transaction(&mut self) -> Result<&mut Transaction, StoreError> {
        self.rows.transaction().await
    }

    pub(super) async fn check_fence(&mut self) -> Result<(), StoreError> {
        check_fence(self.rows.transaction().await?, &self.claim, self.from).await
    }

    /// The slices within the chunk's days that other chunks hold.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn held_by_others(&mut self) -> Result<Vec<Held>, StoreError> {
        let others = held_by_others(self.rows.transaction().await?, &self.claim.chunk).await?;
        self.others = Some(others.clone());
        Ok(others)
    }

    /// Inserts rows, in the order of the stream.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert(&mut self, block: &RowBlock) -> Result<(), StoreError> {
        self.rows.insert(block).await
    }

    /// Inserts rows that [`Store::encoder`] has encoded, in the order of the stream.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert_encoded(&mut self, rows: EncodedRows) -> Result<(), StoreError> {
        self.rows.insert_encoded(rows).await
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
        if records.is_empty() {
            return Ok(());
        }
        let judgement = Judgement {
            chunk: self.claim.chunk.id,
            attempt: self.claim.epoch + self.epochs(),
            rules_version: &self.rules_version,
            now,
        };
        let table = self.targets.quarantine;
        let transaction = self.rows.transaction().await?;
        insert_quarantined(transaction, table, &judgement, records).await?;
        self.quarantined += as_u64(records.len());
        Ok(())
    }

    /// What happens to the chunk when it is committed.
    fn event(&self) -> ChunkEvent {
        match self.from {
            ChunkState::Running => ChunkEvent::Load,
            ChunkState::Done | ChunkState::Empty if !self.keeps_slices => ChunkEvent::Refresh,
            _ => ChunkEvent::Replay,
        }
    }

    /// Epochs that the commit adds: what was claimed has one of its own already.
    fn epochs(&self) -> i64 {
        i64::from(self.event() != ChunkEvent::Load)
    }

    /// Refuses to go on unless every record is accounted for, and each row was taken.
    pub(super) async fn check_accounts(&mut self, loaded: &Loaded) -> Result<(), StoreError> {
        let rows = self.rows.finish().await?;
        let accounted = loaded.loaded + loaded.quarantined + loaded.covered;
        let taken = (loaded.loaded, loaded.quarantined) == (rows, self.quarantined);
        if loaded.fetched == accounted && taken {
            return Ok(());
        }
        Err(StoreError::Accounts(format!(
            "{rows} rows and {} quarantined for a chunk of {} records, {accounted} of them \
             accounted for",
            self.quarantined, loaded.fetched
        )))
    }

    /// Lets go of all that was inserted.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.rows.into_transaction().await?.rollback().await
    }

    /// Settles the chunk and commits: from now on it is done.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost meanwhile, [`StoreError::Contended`] when
    /// another chunk came to hold some of its slices; the tables are as before.
    pub async fn commit(
        mut self,
        loaded: &Loaded,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.check_accounts(loaded).await?;
        let (to, epochs) = (self.from.after(self.event())?, self.epochs());
        let mut transaction = self.rows.into_transaction().await?;
        let chunk = &self.claim.chunk;
        // What a chunk that was done holds stays its own, unless it was given up.
        if self.keeps_slices {
            update_days(&mut transaction, chunk, &loaded.slices).await?;
        } else {
            let slices: Vec<_> = loaded.slices.iter().map(|slice| slice.held).collect();
            let before = self.others.as_deref();
            check_ownership(&mut transaction, chunk, &slices, before).await?;
            insert_slices(&mut transaction, chunk, &loaded.slices).await?;
        }
        let windows = symbol_windows(chunk, &loaded.resolution);
        insert_windows(&mut transaction, &chunk.dataset, &windows).await?;
        insert_failures(&mut transaction, chunk.id, &loaded.failures).await?;
        let updated = statement(format!(
            "UPDATE chunks SET state = $1, epoch = epoch + $2, expected_records = $3,
                 fetched_records = $4, filtered_records = $5, loaded_records = $6,
                 quarantined_records = $7, covered_records = $8, archive_object = $9,
                 market_table = $10, rules_version = $11, error = NULL, owner = NULL,
                 lease_until = NULL, updated_at = {}
             WHERE id = $13 AND epoch = $14 AND state = $15",
            transaction.moment(12)
        ))
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
        .bind(now.into())
        .bind(chunk.id)
        .bind(self.claim.epoch)
        .bind(self.from.name())
        .execute(&mut transaction)
        .await?;
        fence(&self.claim, updated)?;
        transaction.commit().await?;
        Ok(())
    }
}

impl AsMut<Self> for Load {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}
