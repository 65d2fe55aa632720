//! Replay: what a settled chunk has in the tables, swapped for what today's mapping and rules make of
//! its archived stream; or compared with it.

mod difference;
mod old_rows;

pub use self::difference::{ColumnDifference, Difference, RuleDifference};
use self::old_rows::OldRows;
use super::load::{Load, Targets};
use super::quarantine::chunk_failures;
use super::rows::{quoted, unsigned};
use super::statement::{Row, Target, statement};
use super::{Claim, Held, Loaded, Store, StoreError};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::configuration::mapping::Mapping;
use crate::quality::RuleFailures;

/// A chunk whose archived stream can be gone through again.
#[derive(Clone, Debug)]
pub struct Replayable {
    /// The chunk; its epoch is the fence, as that of a claim is.
    pub claim: Claim,
    /// The state it is in: done, or dead.
    pub state: ChunkState,
    /// The archived stream that its records are in; empty where it has none.
    pub archive_object: String,
    /// The table that its rows are in, where the ledger says so.
    pub market_table: Option<String>,
    /// The version of the mapping and rules that made its rows.
    pub rules_version: Option<String>,
    /// Rows that it has in that table.
    pub loaded: u64,
    /// Records that it has in the quarantine.
    pub quarantined: u64,
    /// Records that another chunk holds.
    pub covered: u64,
    /// Records that came along and were not asked for.
    pub filtered: u64,
}

impl Replayable {
    /// Whether its rows are what this mapping makes of its records.
    #[must_use]
    pub fn is_current(&self, mapping: &Mapping) -> bool {
        let version = mapping.version(&self.claim.chunk.quality.rules);
        self.state == ChunkState::Done
            && self.rules_version.as_ref() == Some(&version)
            && self.market_table.as_ref() == Some(&mapping.table)
    }
}

/// A settled chunk, by its row with what its claim needs.
pub(super) fn replayable_of(row: &Row) -> Result<Replayable, StoreError> {
    let claim = super::claim::claim(row)?;
    Ok(Replayable {
        state: claim.state,
        claim,
        archive_object: row
            .get::<Option<String>>("archive_object")?
            .unwrap_or_default(),
        market_table: row.get("market_table")?,
        rules_version: row.get("rules_version")?,
        loaded: unsigned(row.get("loaded_records")?),
        quarantined: unsigned(row.get("quarantined_records")?),
        covered: unsigned(row.get("covered_records")?),
        filtered: unsigned(row.get("filtered_records")?),
    })
}

/// Which chunks can be replayed; `?2` says whether those without quarantined records too.
const REPLAYABLE: &str = "AND c.archive_object IS NOT NULL AND (
    c.state = 'dead' OR (c.state = 'done' AND ($2 OR c.quarantined_records > 0)))";

/// Which of a job's chunks are to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayScope {
    /// All that are done or dead and have an archived stream.
    All,
    /// Those with quarantined records, and the dead.
    Quarantined,
}

impl Store {
    /// A job's chunks that can be replayed, those after `after` first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn replayable(
        &self,
        job: JobId,
        scope: ReplayScope,
        after: ChunkId,
        limit: u32,
    ) -> Result<Vec<Replayable>, StoreError> {
        let sql = format!(
            "SELECT c.*, s.symbols, j.rules, j.quarantine_limit, j.source
             FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE c.job_id = $1 {REPLAYABLE} AND c.id > $3 ORDER BY c.id LIMIT $4"
        );
        let rows = statement(sql)
            .bind(job)
            .bind(scope == ReplayScope::All)
            .bind(after)
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter().map(replayable_of).collect()
    }

    /// How many of a job's chunks can be replayed.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_replayable(
        &self,
        job: JobId,
        scope: ReplayScope,
    ) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM chunks AS c WHERE c.job_id = $1 {REPLAYABLE}");
        let row = statement(sql)
            .bind(job)
            .bind(scope == ReplayScope::All)
            .fetch_one(self.pools.read())
            .await?;
        Ok(unsigned(row.at(0)?))
    }

    /// Begins to swap a chunk's rows: the old ones are gone, and come back unless it is committed.
    /// Its slices stay its own.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the chunk is not as it was; [`StoreError::Accounts`] when the
    /// table does not hold the rows that the ledger counts.
    pub async fn begin_replay(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Load, StoreError> {
        let transaction = self.pools.begin().await?;
        let (claim, targets) = (&chunk.claim, Targets::of(mapping));
        let mut load = Load::new(transaction, claim, mapping, chunk.state, targets);
        load.check_fence().await?;
        let transaction = load.transaction().await?;
        let old = OldRows::of(transaction, chunk, mapping).await?;
        old.delete(transaction).await?;
        let deletions = [
            "DELETE FROM quarantine WHERE chunk_id = $1",
            "DELETE FROM rule_failures WHERE chunk_id = $1",
        ];
        for sql in deletions {
            statement(sql)
                .bind(claim.chunk.id)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(load)
    }

    /// Begins to find out what a replay would change; nothing is changed. The rows that would be go
    /// to temporary tables, which take what a constraint of one's own table might refuse.
    ///
    /// # Errors
    /// As [`Self::begin_replay`].
    pub async fn begin_rehearsal(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Rehearsal, StoreError> {
        let transaction = self.pools.begin_rehearsal().await?;
        let targets = Targets {
            table: "new_rows".to_owned(),
            quarantine: "new_quarantine",
        };
        let claim = &chunk.claim;
        let mut load = Load::new(transaction, claim, mapping, chunk.state, targets);
        load.check_fence().await?;
        let transaction = load.transaction().await?;
        let old = OldRows::of(transaction, chunk, mapping).await?;
        for (copy, of) in [
            ("old_rows", old.table.as_str()),
            ("new_rows", mapping.table.as_str()),
            ("new_quarantine", "quarantine"),
        ] {
            let of = quoted(of);
            statement(format!(
                "CREATE TEMP TABLE {copy} AS SELECT * FROM {of} WHERE false"
            ))
            .execute(&mut *transaction)
            .await?;
        }
        old.copy_into(transaction, "old_rows").await?;
        Ok(Rehearsal {
            load,
            chunk: claim.chunk.id,
            tables: (old.table, mapping.table.clone()),
        })
    }

    /// The slices that a chunk holds.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn slices_of(&self, chunk: ChunkId) -> Result<Vec<Held>, StoreError> {
        slices_of(self.pools.read(), chunk).await
    }

    /// How often each rule failed in one chunk.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn chunk_failures(&self, chunk: ChunkId) -> Result<Vec<RuleFailures>, StoreError> {
        chunk_failures(self.pools.read(), chunk).await
    }
}

async fn slices_of(on: impl Into<Target<'_>>, chunk: ChunkId) -> Result<Vec<Held>, StoreError> {
    let slices =
        statement("SELECT instrument_id, start_ns, end_ns FROM coverage WHERE chunk_id = $1")
            .bind(chunk)
            .fetch_all(on)
            .await?;
    slices.iter().map(super::submit::held).collect()
}

/// A replay that is not meant: dropped or compared, it leaves nothing behind.
#[derive(Debug)]
pub struct Rehearsal {
    load: Load,
    chunk: ChunkId,
    /// The chunk's table, and the one that it would be in.
    tables: (String, String),
}

impl AsMut<Load> for Rehearsal {
    /// What takes the rows and records that the chunk would have.
    fn as_mut(&mut self) -> &mut Load {
        &mut self.load
    }
}

impl Rehearsal {
    /// What the chunk would have, against what it has.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn compare(mut self, loaded: &Loaded) -> Result<Difference, StoreError> {
        self.load.check_accounts(loaded).await?;
        let transaction = self.load.transaction().await?;
        let mut difference = difference::between(transaction, self.chunk, loaded).await?;
        if self.tables.0 != self.tables.1 {
            difference.moved = Some(self.tables);
        }
        self.load.rollback().await?;
        Ok(difference)
    }
}
