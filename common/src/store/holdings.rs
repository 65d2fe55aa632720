//! Holdings: of each schema that is held, a day and a few symbols of which there are records.

use dbn::{SType, Schema};

use super::rows::quoted;
use super::statement::{Row, statement};
use super::submit::EVERY_INSTRUMENT;
use super::{Store, StoreError, claim};
use crate::chunk::JobId;
use crate::time::{Day, Nanos};

/// Slices of the largest chunks that are looked at for their symbols.
const SLICES_LOOKED_AT: i64 = 50;
/// Symbols that are named of each schema.
const SYMBOLS_MAX: usize = 3;

/// A schema that is held, by example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// A UTC day of its largest chunk, with records.
    pub day: Day,
    /// Symbols with records on that day, or numbers of instruments; few, and at least one where the
    /// table has a row.
    pub symbols: Vec<String>,
}

/// A slice with records.
struct Sampled {
    instrument_id: i64,
    day: Day,
}

impl Store {
    /// What is held of each dataset and schema, by example; of one job's chunks, or of all.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn holdings(&self, job: Option<JobId>) -> Result<Vec<Holding>, StoreError> {
        let rows = statement(
            "SELECT DISTINCT dataset, schema FROM chunks
             WHERE state = 'done' AND loaded_records > 0 AND ($1 IS NULL OR job_id = $1)
             ORDER BY dataset, schema",
        )
        .bind(job.map(|job| job.0))
        .fetch_all(self.pools.read())
        .await?;
        let mut holdings = Vec::new();
        for row in &rows {
            let dataset: String = row.get("dataset")?;
            let schema = claim::parse(&row.get::<String>("schema")?)?;
            holdings.extend(self.holding(dataset, schema, job).await?);
        }
        Ok(holdings)
    }

    async fn holding(
        &self,
        dataset: String,
        schema: Schema,
        job: Option<JobId>,
    ) -> Result<Option<Holding>, StoreError> {
        let sampled = self.sample_slices(&dataset, schema, job).await?;
        let Some(day) = sampled.first().map(|slice| slice.day) else {
            return Ok(None);
        };
        let mut symbols = Vec::new();
        for slice in sampled.iter().filter(|slice| slice.day == day) {
            if symbols.len() == SYMBOLS_MAX {
                break;
            }
            let instrument = match slice.instrument_id {
                EVERY_INSTRUMENT => self.first_instrument(schema).await?,
                instrument => Some(instrument),
            };
            let Some(instrument) = instrument else {
                continue;
            };
            let symbol = self.symbol_of(&dataset, instrument, day).await?;
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        Ok(Some(Holding {
            dataset,
            schema,
            day,
            symbols,
        }))
    }

    /// Slices with records, those of the largest chunks first.
    async fn sample_slices(
        &self,
        dataset: &str,
        schema: Schema,
        job: Option<JobId>,
    ) -> Result<Vec<Sampled>, StoreError> {
        let rows = statement(
            "SELECT v.instrument_id, v.start_ns, v.days
             FROM coverage AS v JOIN chunks AS c ON c.id = v.chunk_id
             WHERE v.dataset = $1 AND v.schema = $2 AND ($3 IS NULL OR c.job_id = $3)
                 AND c.loaded_records > 0 AND coalesce(v.days, '+') LIKE '%+%'
             ORDER BY c.loaded_records DESC, c.id, v.instrument_id, v.start_ns LIMIT $4",
        )
        .bind(dataset)
        .bind(schema.as_str())
        .bind(job.map(|job| job.0))
        .bind(SLICES_LOOKED_AT)
        .fetch_all(self.pools.read())
        .await?;
        rows.iter().map(sampled).collect()
    }

    async fn first_instrument(&self, schema: Schema) -> Result<Option<i64>, StoreError> {
        let table = quoted(crate::query::table(schema));
        let row = statement(format!("SELECT min(instrument_id) FROM {table}"))
            .fetch_one(self.pools.read())
            .await?;
        row.at(0)
    }

    /// What an instrument is called on a day; its number, where nothing means it alone.
    async fn symbol_of(
        &self,
        dataset: &str,
        instrument: i64,
        day: Day,
    ) -> Result<String, StoreError> {
        let row = statement(
            "SELECT symbol FROM symbology
             WHERE dataset = $1 AND instrument_id = $2 AND start_date <= $3 AND end_date > $3
                 AND stype_in IN ($4, $5)
             ORDER BY stype_in, symbol LIMIT 1",
        )
        .bind(dataset)
        .bind(instrument)
        .bind(day.to_string())
        .bind(SType::Continuous.as_str())
        .bind(SType::RawSymbol.as_str())
        .fetch_optional(self.pools.read())
        .await?;
        match row {
            Some(row) => row.get("symbol"),
            None => Ok(instrument.to_string()),
        }
    }
}

fn sampled(row: &Row) -> Result<Sampled, StoreError> {
    let start = Nanos(row.get("start_ns")?).day();
    let days: Option<String> = row.get("days")?;
    let first = days.and_then(|days| days.find('+')).unwrap_or_default();
    let first = i64::try_from(first).unwrap_or_default();
    Ok(Sampled {
        instrument_id: row.get("instrument_id")?,
        day: start.plus(first),
    })
}
