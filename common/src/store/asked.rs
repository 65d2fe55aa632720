//! What was asked for: the chunks of a schema by their lists of symbols, what symbols meant, and a
//! submitted job's request.

use std::collections::{BTreeMap, HashMap};

use dbn::{SType, Schema};

use super::statement::{Row, statement};
use super::symbology::{WINDOW, window};
use super::{Store, StoreError, claim};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::money::Usd;
use crate::request::{Chunking, JobSource, Request, Symbols};
use crate::time::{DayRange, Span};
use crate::vendor::Resolution;

/// Rows that are read at once: what is read is kept smaller than its rows are.
const ROWS_AT_ONCE: i64 = 20_000;

/// Chunks of one list of symbols. Many chunks share a list, and it is here once.
#[derive(Clone, Debug)]
pub struct AskedChunks {
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: Symbols,
    /// The chunks.
    pub chunks: Vec<AskedChunk>,
}

/// One chunk's days, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedChunk {
    /// Its number.
    pub id: ChunkId,
    /// Its job.
    pub job: JobId,
    /// The UTC days.
    pub days: DayRange,
    /// Where it stands.
    pub state: ChunkState,
}

/// What a job asks for, without its symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The job's number.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// The dataset.
    pub dataset: String,
    /// The schemas.
    pub schemas: Vec<Schema>,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The UTC days.
    pub days: DayRange,
}

/// The last job and the number of jobs: as long as both stay, so does what jobs ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsMark {
    last: i64,
    count: i64,
}

impl Store {
    /// The datasets and schemas that there are chunks of, and the days of these. What was called off
    /// with its whole job is not asked for.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn asked_schemas(&self) -> Result<Vec<(String, Schema, DayRange)>, StoreError> {
        let rows = statement(
            "SELECT c.dataset, c.schema, min(c.start_ns) AS start_ns, max(c.end_ns) AS end_ns
             FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.state <> 'cancelled' OR j.state <> 'cancelled'
             GROUP BY c.dataset, c.schema ORDER BY c.dataset, c.schema",
        )
        .fetch_all(self.pools.read())
        .await?;
        let asked = |row: &Row| {
            let schema = claim::parse(&row.get::<String>("schema")?)?;
            Ok((row.get("dataset")?, schema, claim::days(row)?))
        };
        rows.iter().map(asked).collect()
    }

    /// The chunks of a dataset's schema within a span; of one job, or of all.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn asked(
        &self,
        dataset: &str,
        schema: Schema,
        job: Option<JobId>,
        within: Span,
    ) -> Result<Vec<AskedChunks>, StoreError> {
        let mut lists: BTreeMap<(i64, String), AskedChunks> = BTreeMap::new();
        let mut after = 0;
        loop {
            let rows = statement(
                "SELECT c.id, c.job_id, c.state, c.stype_in, c.symbols_id, c.start_ns, c.end_ns
                 FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
                 WHERE c.id > $1 AND c.dataset = $2 AND c.schema = $3
                     AND ($4 IS NULL OR c.job_id = $4) AND c.start_ns < $5 AND c.end_ns > $6
                     AND (c.state <> 'cancelled' OR j.state <> 'cancelled')
                 ORDER BY c.id LIMIT $7",
            )
            .bind(after)
            .bind(dataset)
            .bind(schema.as_str())
            .bind(job.map(|job| job.0))
            .bind(within.end)
            .bind(within.start)
            .bind(ROWS_AT_ONCE)
            .fetch_all(self.pools.read())
            .await?;
            for row in &rows {
                after = row.get("id")?;
                let stype: String = row.get("stype_in")?;
                let stype_in = claim::parse(&stype)?;
                let list = lists.entry((row.get("symbols_id")?, stype));
                let list = list.or_insert_with(|| AskedChunks {
                    stype_in,
                    symbols: Symbols::ALL,
                    chunks: Vec::new(),
                });
                list.chunks.push(AskedChunk {
                    id: ChunkId(after),
                    job: JobId(row.get("job_id")?),
                    days: claim::days(row)?,
                    state: claim::parse(&row.get::<String>("state")?)?,
                });
            }
            if rows.is_empty() {
                break;
            }
        }
        self.name_symbols(lists).await
    }

    async fn name_symbols(
        &self,
        mut lists: BTreeMap<(i64, String), AskedChunks>,
    ) -> Result<Vec<AskedChunks>, StoreError> {
        for ((id, _), list) in &mut lists {
            let row = statement("SELECT symbols FROM symbol_sets WHERE id = $1")
                .bind(*id)
                .fetch_one(self.pools.read())
                .await?;
            list.symbols = claim::symbols(&row.get::<String>("symbols")?)?;
        }
        Ok(lists.into_values().collect())
    }

    /// What all symbols of a dataset meant of which the database knows, by how they are written.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn meanings(&self, dataset: &str) -> Result<HashMap<SType, Resolution>, StoreError> {
        let rows = statement(format!(
            "SELECT {WINDOW} FROM symbology
             WHERE dataset = $1 ORDER BY stype_in, symbol, start_date"
        ))
        .bind(dataset)
        .fetch_all(self.pools.read())
        .await?;
        let mut meanings: HashMap<SType, Resolution> = HashMap::new();
        for row in &rows {
            if let Some((stype, symbol, window)) = window(row)? {
                let windows = &mut meanings.entry(stype).or_default().windows;
                windows.entry(symbol).or_default().push(window);
            }
        }
        Ok(meanings)
    }

    /// Which jobs there are, in short.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn jobs_mark(&self) -> Result<JobsMark, StoreError> {
        let row = statement("SELECT coalesce(max(id), 0) AS last, count(*) AS count FROM jobs")
            .fetch_one(self.pools.read())
            .await?;
        Ok(JobsMark {
            last: row.get("last")?,
            count: row.get("count")?,
        })
    }

    /// Which parts of what all jobs ask for, oldest first; without their symbols.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn requested(&self) -> Result<Vec<Requested>, StoreError> {
        let rows = statement("SELECT id, spec FROM jobs ORDER BY id")
            .fetch_all(self.pools.read())
            .await?;
        let requested = |row: &Row| {
            let spec = spec(row)?;
            let schemas = spec.schemas.iter().map(|schema| claim::parse(schema));
            Ok(Requested {
                job: JobId(row.get("id")?),
                schemas: schemas.collect::<Result<_, StoreError>>()?,
                stype_in: claim::parse(&spec.stype_in)?,
                name: spec.name,
                dataset: spec.dataset,
                days: spec.days,
            })
        };
        rows.iter().map(requested).collect()
    }

    /// What a submitted job asks for. How it was to be cut is not kept.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or there is no such job.
    pub async fn request(&self, job: JobId) -> Result<Request, StoreError> {
        let row = statement(
            "SELECT spec, priority, max_cost_nanousd, rules, quarantine_limit, source
             FROM jobs WHERE id = $1",
        )
        .bind(job)
        .fetch_one(self.pools.read())
        .await?;
        let spec = spec(&row)?;
        let schemas = spec.schemas.iter().map(|schema| claim::parse(schema));
        let folder: Option<String> = row.get("source")?;
        Ok(Request {
            name: spec.name,
            dataset: spec.dataset,
            schemas: schemas.collect::<Result<_, _>>()?,
            symbols: spec.symbols,
            stype_in: claim::parse(&spec.stype_in)?,
            days: spec.days,
            chunking: Chunking::default(),
            priority: i32::try_from(row.get::<i64>("priority")?).unwrap_or_default(),
            max_cost: row.get::<Option<i64>>("max_cost_nanousd")?.map(Usd),
            quality: claim::quality(&row)?,
            source: folder.map_or(JobSource::Vendor, |folder| JobSource::Files(folder.into())),
        })
    }
}

fn spec(row: &Row) -> Result<Spec, StoreError> {
    let spec: String = row.get("spec")?;
    serde_json::from_str(&spec)
        .map_err(|_| StoreError::Unreadable("a job's request that is none".into()))
}

/// A request as a job's row keeps it; see [`Request::spec`].
#[derive(serde::Deserialize)]
struct Spec {
    name: String,
    dataset: String,
    schemas: Vec<String>,
    symbols: Symbols,
    stype_in: String,
    #[serde(flatten)]
    days: DayRange,
}
