//! Replay: what a settled chunk has in the tables, swapped for what today's mapping and rules make of
//! its archived stream; or compared with it.

mod difference;

use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection, Transaction};

pub use self::difference::{ColumnDifference, Difference, RuleDifference};
use super::load::{Load, Targets};
use super::quarantine::chunk_failures;
use super::rows::{quoted, unsigned};
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
    /// The archived stream that its records are in.
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

/// Which chunks can be replayed; `?2` says whether those without quarantined records too.
const REPLAYABLE: &str = "AND c.archive_object IS NOT NULL AND (
    c.state = 'dead' OR (c.state = 'done' AND (?2 OR c.quarantined_records > 0)))";

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
             WHERE c.job_id = ?1 {REPLAYABLE} AND c.id > ?3 ORDER BY c.id LIMIT ?4"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(job.0)
            .bind(scope == ReplayScope::All)
            .bind(after.0)
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
                    rules_version: row.try_get("rules_version")?,
                    loaded: unsigned(row.try_get("loaded_records")?),
                    quarantined: unsigned(row.try_get("quarantined_records")?),
                    covered: unsigned(row.try_get("covered_records")?),
                    filtered: unsigned(row.try_get("filtered_records")?),
                })
            })
            .collect()
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
        let sql = format!("SELECT count(*) FROM chunks AS c WHERE c.job_id = ?1 {REPLAYABLE}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(job.0)
            .bind(scope == ReplayScope::All)
            .fetch_one(&self.read)
            .await?;
        Ok(unsigned(count))
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
        let transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let (claim, targets) = (&chunk.claim, Targets::of(mapping));
        let mut load = Load::new(transaction, claim, mapping, chunk.state, targets);
        load.check_fence().await?;
        let old = OldRows::of(&mut load.transaction, chunk, mapping).await?;
        old.each(&mut load.transaction, "DELETE").await?;
        let deletions = [
            "DELETE FROM quarantine WHERE chunk_id = ?",
            "DELETE FROM rule_failures WHERE chunk_id = ?",
        ];
        for sql in deletions {
            sqlx::query(sql)
                .bind(claim.chunk.id.0)
                .execute(&mut *load.transaction)
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
        // Temporary tables belong to the connection, and the reader's is as good as any.
        let transaction = self.read.begin().await?;
        let targets = Targets {
            table: "temp.new_rows".to_owned(),
            quarantine: "temp.new_quarantine",
        };
        let claim = &chunk.claim;
        let mut load = Load::new(transaction, claim, mapping, chunk.state, targets);
        load.check_fence().await?;
        let old = OldRows::of(&mut load.transaction, chunk, mapping).await?;
        let (before, after) = (quoted(&old.table), quoted(&mapping.table));
        for sql in [
            format!("CREATE TEMP TABLE old_rows AS SELECT * FROM {before} WHERE false"),
            format!("CREATE TEMP TABLE new_rows AS SELECT * FROM {after} WHERE false"),
            "CREATE TEMP TABLE new_quarantine AS SELECT * FROM quarantine WHERE false".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut *load.transaction)
                .await?;
        }
        old.each(&mut load.transaction, "INSERT INTO temp.old_rows SELECT *")
            .await?;
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
        let mut connection = self.read.acquire().await?;
        slices_of(&mut connection, chunk).await
    }

    /// How often each rule failed in one chunk.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn chunk_failures(&self, chunk: ChunkId) -> Result<Vec<RuleFailures>, StoreError> {
        let mut connection = self.read.acquire().await?;
        chunk_failures(&mut connection, chunk).await
    }
}

async fn slices_of(
    connection: &mut SqliteConnection,
    chunk: ChunkId,
) -> Result<Vec<Held>, StoreError> {
    let slices =
        sqlx::query("SELECT instrument_id, start_ns, end_ns FROM coverage WHERE chunk_id = ?")
            .bind(chunk.0)
            .fetch_all(connection)
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
        self.load.check_accounts(loaded)?;
        let transaction = &mut self.load.transaction;
        let mut difference = difference::between(transaction, self.chunk, loaded).await?;
        if self.tables.0 != self.tables.1 {
            difference.moved = Some(self.tables);
        }
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
        Ok(Self {
            table: table.clone(),
            key: match key.as_slice() {
                [instrument, time] if instrument == "instrument_id" => {
                    Some((quoted(instrument), quoted(time)))
                }
                _ => None,
            },
            slices: slices_of(transaction, id).await?,
            chunk: id,
            rows: chunk.loaded,
        })
    }

    /// Deletes or copies the chunk's rows: all that the ledger counts. `verb` is what stands before
    /// FROM.
    async fn each(&self, connection: &mut SqliteConnection, verb: &str) -> Result<(), StoreError> {
        let table = quoted(&self.table);
        let mut found = 0;
        if let Some((instrument, time)) = &self.key {
            for slice in &self.slices {
                let of_slice = of_slice(&table, instrument, slice);
                let sql = format!(
                    "{verb} FROM {table} WHERE {of_slice} AND {time} >= ?1 AND {time} < ?2
                         AND chunk_id = ?3"
                );
                let done = sqlx::query(AssertSqlSafe(sql))
                    .bind(slice.span.start.0)
                    .bind(slice.span.end.0)
                    .bind(self.chunk.0)
                    .execute(&mut *connection)
                    .await?;
                found += done.rows_affected();
            }
        }
        if found < self.rows {
            // A mapping of one's own may put other times into the key than the index time.
            let already = match verb {
                "DELETE" => "",
                _ => " AND row_number NOT IN (SELECT row_number FROM temp.old_rows)",
            };
            let sql = format!("{verb} FROM {table} WHERE chunk_id = ?{already}");
            let done = sqlx::query(AssertSqlSafe(sql))
                .bind(self.chunk.0)
                .execute(&mut *connection)
                .await?;
            found += done.rows_affected();
        }
        if found == self.rows {
            return Ok(());
        }
        Err(StoreError::Accounts(format!(
            "{} has {found} rows of chunk {}, and the ledger counts {}",
            self.table, self.chunk, self.rows
        )))
    }
}

/// The rows of a slice's instruments, so that they are found by the table's key: without it each
/// replay would read the whole table.
fn of_slice(table: &str, instrument: &str, slice: &Held) -> String {
    match slice.instrument_id {
        Some(id) => format!("{instrument} = {id}"),
        // The distinct instruments, each found by one step down the key.
        None => format!(
            "{instrument} IN (WITH RECURSIVE ids (id) AS (
                 SELECT min({instrument}) FROM {table} UNION ALL
                 SELECT (SELECT min({instrument}) FROM {table} WHERE {instrument} > ids.id)
                 FROM ids WHERE ids.id IS NOT NULL) SELECT id FROM ids)"
        ),
    }
}
