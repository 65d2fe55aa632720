//! The proof: what the ledger says of each chunk, beside what the tables hold of it, in one snapshot.
//!
//! A chunk's counts, rows, quarantine and slices are committed together, so within a snapshot they
//! agree whatever workers do meanwhile: nothing has to be looked at again. Each market table that the
//! job fills is read once, whole, for its rows by chunk: there is no index that knows them on either
//! engine, and rows that are nobody's are found on the way. The counts go to a temporary table, so that
//! a million chunks are streamed in pages and none of them is kept.

mod gaps;

use super::engine::{Pools, Transaction};
use super::rows::{quoted, unsigned};
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::time::{DayRange, Nanos, Span};

/// Chunks of one page.
const CHUNKS_PER_PAGE: u32 = 500;
/// Chunks of one page with rows that are nobody's.
const STRAYS_PER_PAGE: u32 = 500;

/// A chunk by the ledger, and by the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkAccount {
    /// Its number.
    pub id: ChunkId,
    /// The schema.
    pub schema: String,
    /// The symbols, as text.
    pub symbols: String,
    /// The days.
    pub days: DayRange,
    /// Where it stands.
    pub state: ChunkState,
    /// When it is due, if it waits.
    pub due_at: Nanos,
    /// The last error.
    pub error: Option<String>,
    /// Records that were asked for, by the vendor's count; `None` before anybody asked.
    pub expected: Option<u64>,
    /// Records that were asked for and received.
    pub fetched: u64,
    /// Records that came along and were not asked for.
    pub filtered: u64,
    /// Rows in the table, by the ledger.
    pub loaded: u64,
    /// Records in the quarantine, by the ledger.
    pub quarantined: u64,
    /// Records that another chunk holds.
    pub covered: u64,
    /// The table that its rows are in, where the ledger says so.
    pub market_table: Option<String>,
    /// Its rows there, counted.
    pub table_rows: u64,
    /// Its records in the quarantine, counted.
    pub quarantine_rows: u64,
    /// The archived stream that its records were read from.
    pub archive_object: Option<String>,
    /// What the ledger says of that stream.
    pub archived: Option<Archived>,
    /// What it should hold and nobody does.
    pub gaps: Vec<Gap>,
}

/// What the ledger says of an archived stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// SHA-256 of the object, in hexadecimal digits.
    pub sha256: String,
    /// Bytes of the object.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// When it was received.
    pub fetched_at: Nanos,
}

/// A slice that a done chunk's symbols mean, and that no chunk holds whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The symbol.
    pub symbol: String,
    /// The instrument that it means; `None` is every instrument.
    pub instrument_id: Option<u32>,
    /// When.
    pub span: Span,
    /// How much of it is not held, in nanoseconds.
    pub missing: u64,
}

/// Rows of a market table that belong to no chunk which was done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strays {
    /// The table.
    pub market_table: String,
    /// The chunk that they name.
    pub chunk: ChunkId,
    /// How many.
    pub rows: u64,
}

/// An open proof of a job: a snapshot, gone through page by page. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Proof {
    transaction: Transaction,
    job: JobId,
    after: ChunkId,
    strays_after: (ChunkId, String),
}

impl Store {
    /// Takes a snapshot of a job, and counts the rows of the tables that it fills.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn begin_proof(&self, job: JobId) -> Result<Proof, StoreError> {
        let known = self.market_tables().await?;
        let mut transaction = self.pools.begin_snapshot().await?;
        let tables = filled_tables(&mut transaction, job, known).await?;
        count_rows(&mut transaction, &tables).await?;
        // Its chunks come after this one, and those of older jobs are passed over.
        let first = statement(
            "SELECT CAST(coalesce(min(first_chunk), 1) AS BIGINT) FROM job_counts WHERE job_id = $1",
        );
        let first: i64 = first.bind(job).fetch_one(&mut transaction).await?.at(0)?;
        Ok(Proof {
            transaction,
            job,
            after: ChunkId(first - 1),
            strays_after: (ChunkId(i64::MIN), String::new()),
        })
    }
}

impl Proof {
    /// The job's next chunks; none when all were given.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn next_chunks(&mut self) -> Result<Vec<ChunkAccount>, StoreError> {
        // By the chunks' own key, in its order: an index by job would be sorted for each page.
        let rows = statement(
            "SELECT c.*, s.symbols, a.sha256, a.bytes AS object_bytes,
                 a.records AS object_records, a.fetched_at,
                 (SELECT CAST(coalesce(sum(r.counted), 0) AS BIGINT) FROM proof_rows AS r
                  WHERE r.chunk_id = c.id
                      AND r.market_table = coalesce(c.market_table, r.market_table)) AS table_rows,
                 (SELECT count(*) FROM quarantine AS q WHERE q.chunk_id = c.id) AS quarantine_rows
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             LEFT JOIN archive_objects AS a ON a.key = c.archive_object
             WHERE +c.job_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3",
        )
        .bind(self.job)
        .bind(self.after)
        .bind(CHUNKS_PER_PAGE)
        .fetch_all(&mut self.transaction)
        .await?;
        let mut chunks: Vec<_> = rows.iter().map(account).collect::<Result<_, _>>()?;
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else {
            return Ok(chunks);
        };
        self.after = last.id;
        let gaps = gaps::between(&mut self.transaction, self.job, first.id, last.id).await?;
        for (chunk, gap) in gaps {
            if let Ok(index) = chunks.binary_search_by_key(&chunk, |account| account.id) {
                chunks[index].gaps.push(gap);
            }
        }
        Ok(chunks)
    }

    /// The next rows that are no done chunk's, in the tables that the job fills; none when all were
    /// given.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn next_strays(&mut self) -> Result<Vec<Strays>, StoreError> {
        let rows = statement(
            "SELECT r.market_table, r.chunk_id, r.counted FROM proof_rows AS r
             LEFT JOIN chunks AS c ON c.id = r.chunk_id AND c.state = 'done'
                 AND coalesce(c.market_table, r.market_table) = r.market_table
             WHERE c.id IS NULL
                 AND (r.chunk_id > $1 OR (r.chunk_id = $1 AND r.market_table > $2))
             ORDER BY r.chunk_id, r.market_table LIMIT $3",
        )
        .bind(self.strays_after.0)
        .bind(&self.strays_after.1)
        .bind(STRAYS_PER_PAGE)
        .fetch_all(&mut self.transaction)
        .await?;
        let strays: Vec<_> = rows
            .iter()
            .map(|row| {
                Ok(Strays {
                    market_table: row.get("market_table")?,
                    chunk: ChunkId(row.get("chunk_id")?),
                    rows: unsigned(row.get("counted")?),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        if let Some(last) = strays.last() {
            self.strays_after = (last.chunk, last.market_table.clone());
        }
        Ok(strays)
    }

    /// Lets go of the snapshot.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn end(self) -> Result<(), StoreError> {
        self.transaction.rollback().await
    }
}

/// The market tables that hold a job's rows: all there are, where an old chunk doesn't say.
async fn filled_tables(
    transaction: &mut Transaction,
    job: JobId,
    mut known: Vec<String>,
) -> Result<Vec<String>, StoreError> {
    let rows = statement(
        "SELECT DISTINCT market_table FROM chunks
         WHERE job_id = $1 AND (market_table IS NOT NULL OR loaded_records > 0)",
    )
    .bind(job)
    .fetch_all(transaction)
    .await?;
    let named: Vec<Option<String>> = rows
        .iter()
        .map(|row| row.get("market_table"))
        .collect::<Result<_, _>>()?;
    if !named.contains(&None) {
        known.retain(|table| named.iter().flatten().any(|named| named == table));
    }
    Ok(known)
}

/// Counts the rows of tables by chunk.
async fn count_rows(transaction: &mut Transaction, tables: &[String]) -> Result<(), StoreError> {
    let nothing = "SELECT '' AS market_table, CAST(0 AS BIGINT) AS chunk_id,
                       CAST(0 AS BIGINT) AS counted WHERE false";
    let mut counts = vec![nothing.to_owned()];
    for table in tables {
        counts.push(format!(
            "SELECT '{}', chunk_id, count(*) FROM {} GROUP BY chunk_id",
            table.replace('\'', "''"),
            quoted(table)
        ));
    }
    let counts = counts.join(" UNION ALL ");
    let index = match transaction {
        Transaction::Sqlite(_) => "CREATE INDEX temp.proof_rows_by_chunk",
        Transaction::Postgres(_) => "CREATE INDEX proof_rows_by_chunk",
    };
    let mut steps = vec![
        format!("CREATE TEMP TABLE proof_rows AS {counts}"),
        format!("{index} ON proof_rows (chunk_id)"),
    ];
    if matches!(transaction, Transaction::Postgres(_)) {
        steps.push("ANALYZE proof_rows".to_owned());
    }
    for step in steps {
        statement(step).execute(&mut *transaction).await?;
    }
    Ok(())
}

fn account(row: &Row) -> Result<ChunkAccount, StoreError> {
    let count = |name| Ok::<_, StoreError>(unsigned(row.get(name)?));
    let archived = match row.get::<Option<String>>("sha256")? {
        Some(sha256) => Some(Archived {
            sha256,
            bytes: count("object_bytes")?,
            records: count("object_records")?,
            fetched_at: Nanos(row.get("fetched_at")?),
        }),
        None => None,
    };
    Ok(ChunkAccount {
        id: ChunkId(row.get("id")?),
        schema: row.get("schema")?,
        symbols: super::claim::symbols(&row.get::<String>("symbols")?)?.to_string(),
        days: super::claim::days(row)?,
        state: super::claim::parse(&row.get::<String>("state")?)?,
        due_at: Nanos(row.get("due_at")?),
        error: row.get("error")?,
        expected: row.get::<Option<i64>>("expected_records")?.map(unsigned),
        fetched: count("fetched_records")?,
        filtered: count("filtered_records")?,
        loaded: count("loaded_records")?,
        quarantined: count("quarantined_records")?,
        covered: count("covered_records")?,
        market_table: row.get("market_table")?,
        table_rows: count("table_rows")?,
        quarantine_rows: count("quarantine_rows")?,
        archive_object: row.get("archive_object")?,
        archived,
        gaps: Vec::new(),
    })
}

impl Pools {
    /// Begins a transaction that reads one state of the database until its end, and changes nothing
    /// but temporary tables.
    async fn begin_snapshot(&self) -> Result<Transaction, StoreError> {
        let mut transaction = self.begin_rehearsal().await?;
        if matches!(transaction, Transaction::Postgres(_)) {
            for setting in [
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                // Whoever reads the answer page by page may take a while.
                "SET LOCAL idle_in_transaction_session_timeout = '15min'",
            ] {
                statement(setting).execute(&mut transaction).await?;
            }
        }
        Ok(transaction)
    }
}
