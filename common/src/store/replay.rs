//! Replay: what a settled chunk has in the tables, swapped for what today's mapping and rules make of
//! its archived stream; or compared with it.

mod difference;

use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection, Transaction};

pub use self::difference::{ColumnDifference, Difference, RuleDifference};
use super::load::{Load, Targets};
use super::rows::unsigned;
use super::{Claim, Held, Loaded, Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkId, ChunkState, JobId};
use crate::configuration::mapping::Mapping;
use crate::vendor::Resolution;

/// A chunk whose archived stream can be gone through again.
#[derive(Clone, Debug)]
pub struct Replayable {
    /// The chunk; its epoch is the fence, as that of a claim is.
    pub claim: Claim,
    /// The state it is in: done, or dead.
    pub state: ChunkState,
    /// The archived stream that its records are in.
    pub archive_object: String,
    /// The table that its rows are in, where the ledger says so.
    market_table: Option<String>,
    /// Rows that it has in that table.
    pub loaded: u64,
    /// Records that it has in the quarantine.
    pub quarantined: u64,
    /// Records that another chunk holds.
    pub covered: u64,
}

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
        let rows = sqlx::query(
            "SELECT c.*, s.symbols, j.rules, j.quarantine_limit, j.source, j.source
             FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE c.job_id = ?1 AND c.id > ?2 AND c.archive_object IS NOT NULL AND (
                 c.state = 'dead' OR (c.state = 'done' AND (?3 OR c.quarantined_records > 0)))
             ORDER BY c.id LIMIT ?4",
        )
        .bind(job.0)
        .bind(after.0)
        .bind(scope == ReplayScope::All)
        .bind(limit)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Replayable {
                    claim: super::claim::claim(row)?,
                    state: super::claim::parse(&row.try_get::<String, _>("state")?)?,
                    archive_object: row.try_get("archive_object")?,
                    market_table: row.try_get("market_table")?,
                    loaded: unsigned(row.try_get("loaded_records")?),
                    quarantined: unsigned(row.try_get("quarantined_records")?),
                    covered: unsigned(row.try_get("covered_records")?),
                })
            })
            .collect()
    }

    /// Begins to swap a chunk's rows: the old ones are gone, and come back unless it is committed.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the chunk is not as it was; [`StoreError::Unreadable`] when the
    /// table does not hold the rows that the ledger counts.
    pub async fn begin_replay(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Load, StoreError> {
        let transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let (event, claim) = (ChunkEvent::Replay, &chunk.claim);
        let mut load = Load::new(transaction, claim, mapping, event, chunk.state);
        load.check_fence().await?;
        let old = OldRows::of(&mut load.transaction, chunk, mapping).await?;
        old.each(&mut load.transaction, "DELETE").await?;
        let deletions = [
            "DELETE FROM quarantine WHERE chunk_id = ?",
            "DELETE FROM rule_failures WHERE chunk_id = ?",
            "DELETE FROM coverage WHERE chunk_id = ?",
        ];
        for sql in deletions {
            sqlx::query(sql)
                .bind(claim.chunk.id.0)
                .execute(&mut *load.transaction)
                .await?;
        }
        Ok(load)
    }

    /// Begins to find out what a replay would change; nothing is changed.
    ///
    /// # Errors
    /// As [`Self::begin_replay`].
    pub async fn begin_rehearsal(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Rehearsal, StoreError> {
        // Temporary tables belong to the connection, and the reader's is as good as any.
        let mut transaction = self.read.begin().await?;
        let old = OldRows::of(&mut transaction, chunk, mapping).await?;
        for sql in [
            format!(
                "CREATE TEMP TABLE old_rows AS SELECT * FROM {} WHERE 0",
                old.table
            ),
            format!(
                "CREATE TEMP TABLE new_rows AS SELECT * FROM {} WHERE 0",
                mapping.table
            ),
            "CREATE TEMP TABLE new_quarantine AS SELECT * FROM quarantine WHERE 0".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut *transaction)
                .await?;
        }
        old.each(&mut transaction, "INSERT INTO temp.old_rows SELECT *")
            .await?;
        let (event, claim) = (ChunkEvent::Replay, &chunk.claim);
        let mut load = Load::new(transaction, claim, mapping, event, chunk.state);
        load.check_fence().await?;
        let targets = Targets {
            table: "temp.new_rows".to_owned(),
            quarantine: "temp.new_quarantine",
        };
        Ok(Rehearsal {
            load: load.into_targets(targets, mapping),
            chunk: claim.chunk.id,
        })
    }

    /// What a chunk's symbols mean, as far as the database knows.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn known_resolution(&self, chunk: &super::Chunk) -> Result<Resolution, StoreError> {
        super::symbology::known_resolution(&self.read, chunk).await
    }
}

/// A replay that is not meant: dropped or compared, it leaves nothing behind.
#[derive(Debug)]
pub struct Rehearsal {
    load: Load,
    chunk: ChunkId,
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
        self.load.check_accounts(loaded)?;
        let difference =
            difference::between(&mut self.load.transaction, self.chunk, loaded).await?;
        self.load.transaction.rollback().await?;
        Ok(difference)
    }
}

/// Where a chunk's rows are: its table, and the slices that they lie in.
struct OldRows {
    table: String,
    /// The leading columns of the table's key: instrument and time.
    key: Option<(String, String)>,
    slices: Vec<Held>,
    chunk: ChunkId,
    rows: u64,
}

impl OldRows {
    async fn of(
        transaction: &mut Transaction<'static, Sqlite>,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Self, StoreError> {
        let id = chunk.claim.chunk.id;
        let table = chunk.market_table.as_ref().unwrap_or(&mapping.table);
        let key: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM pragma_table_info(?) WHERE pk IN (1, 2) ORDER BY pk",
        )
        .bind(table)
        .fetch_all(&mut **transaction)
        .await?;
        let slices =
            sqlx::query("SELECT instrument_id, start_ns, end_ns FROM coverage WHERE chunk_id = ?")
                .bind(id.0)
                .fetch_all(&mut **transaction)
                .await?;
        Ok(Self {
            table: table.clone(),
            key: match key.as_slice() {
                [instrument, time] if instrument == "instrument_id" => {
                    Some((instrument.clone(), time.clone()))
                }
                _ => None,
            },
            slices: slices
                .iter()
                .map(super::submit::held)
                .collect::<Result<_, _>>()?,
            chunk: id,
            rows: chunk.loaded,
        })
    }

    /// Deletes or copies the chunk's rows: all that the ledger counts.
    async fn each(&self, connection: &mut SqliteConnection, verb: &str) -> Result<(), StoreError> {
        let mut found = 0;
        if let Some((instrument, time)) = &self.key {
            for slice in &self.slices {
                found += self
                    .each_of_slice(connection, verb, instrument, time, slice)
                    .await?;
            }
        }
        if found < self.rows {
            // A mapping of one's own may put other times into the key than the index time.
            let already = match verb {
                "DELETE" => String::new(),
                _ => " AND row_number NOT IN (SELECT row_number FROM temp.old_rows)".to_owned(),
            };
            let table = &self.table;
            let sql = format!("{verb} FROM {table} WHERE chunk_id = ?{already}");
            found += sqlx::query(AssertSqlSafe(sql))
                .bind(self.chunk.0)
                .execute(&mut *connection)
                .await?
                .rows_affected();
        }
        if found == self.rows {
            return Ok(());
        }
        Err(StoreError::Unreadable(format!(
            "{found} rows of chunk {} in {} where its ledger counts {}",
            self.chunk, self.table, self.rows
        )))
    }

    /// The rows in one slice, by the table's key: without it each replay would read the whole table.
    async fn each_of_slice(
        &self,
        connection: &mut SqliteConnection,
        verb: &str,
        instrument: &str,
        time: &str,
        slice: &Held,
    ) -> Result<u64, StoreError> {
        let table = &self.table;
        let (instruments, first) = match slice.instrument_id {
            Some(id) => (String::new(), format!("{instrument} = {id}")),
            // The distinct instruments, each found by one step down the key.
            None => (
                format!(
                    "WITH RECURSIVE ids (id) AS (
                         SELECT min({instrument}) FROM {table} UNION ALL
                         SELECT (SELECT min({instrument}) FROM {table} WHERE {instrument} > ids.id)
                         FROM ids WHERE ids.id IS NOT NULL) "
                ),
                format!("{instrument} IN (SELECT id FROM ids)"),
            ),
        };
        let wanted = format!("FROM {table} WHERE {first} AND {time} >= ? AND {time} < ?");
        let sql = match verb.split_once("SELECT") {
            Some((insert, columns)) => {
                format!("{insert}{instruments}SELECT{columns} {wanted} AND chunk_id = ?")
            }
            None => format!("{instruments}{verb} {wanted} AND chunk_id = ?"),
        };
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(slice.span.start.0)
            .bind(slice.span.end.0)
            .bind(self.chunk.0)
            .execute(&mut *connection)
            .await?;
        Ok(done.rows_affected())
    }
}
