//! Detail: a symbol's day, and the chunks that were asked for of it.

use common::chunk::{ChunkId, ChunkState, JobId};
use common::configuration::document::Refusal;
use common::store::{Store, ToldChunk};
use common::time::{Day, Nanos};
use serde::Serialize;

use super::grid::Grid;
use super::question::Question;
use super::window::no_symbol;
use crate::serve::api::as_text;

/// Chunks that are told of: the last.
const CHUNKS_MAX: usize = 5;

/// A symbol's day.
#[derive(Debug, Serialize)]
pub struct Detail {
    symbol: String,
    day: Day,
    state: &'static str,
    meaning: &'static str,
    #[serde(serialize_with = "as_text")]
    gathered_at: Nanos,
    chunks: Vec<OfChunk>,
}

#[derive(Debug, Serialize)]
struct OfChunk {
    chunk: ChunkId,
    job: JobId,
    job_name: String,
    start: Day,
    end: Day,
    #[serde(serialize_with = "as_text")]
    state: ChunkState,
    failures: u64,
    error: Option<String>,
    #[serde(serialize_with = "as_text")]
    at: Nanos,
    rows: u64,
}

impl Detail {
    /// Of a symbol's day.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such symbol or day.
    pub async fn of(grid: &Grid, question: &Question, store: &Store) -> Result<Self, Refusal> {
        let (Some(symbol), Some(day)) = (&question.symbol, question.day) else {
            let help = "write for example symbol=ES.c.0&day=2024-01-31";
            return Err(Refusal::of(
                "symbol, day",
                "a symbol and a day are wanted",
                help,
            ));
        };
        let row = grid.find(symbol).ok_or_else(|| no_symbol(grid, symbol))?;
        let column = grid.column(day).ok_or_else(|| {
            let (first, last) = (grid.days.start(), grid.days.end().plus(-1));
            let help = format!("it has the days from {first} to {last}");
            Refusal::of("day", "the map doesn't have this day", &help)
        })?;
        let cell = grid.cell(row, column);
        let mut chunks = Vec::new();
        for chunk in grid.chunks_of(symbol, day).into_iter().take(CHUNKS_MAX) {
            match store.told_chunk(chunk).await {
                Ok(told) => chunks.extend(told.map(OfChunk::from)),
                Err(error) => {
                    let error = worker::error::chain(&error);
                    tracing::warn!(error, "a chunk can't be looked at");
                    break;
                }
            }
        }
        Ok(Self {
            symbol: symbol.clone(),
            day,
            state: cell.name(),
            meaning: cell.meaning(),
            gathered_at: grid.gathered_at,
            chunks,
        })
    }
}

impl From<ToldChunk> for OfChunk {
    fn from(told: ToldChunk) -> Self {
        Self {
            chunk: told.part.chunk,
            job: told.part.job,
            job_name: told.part.job_name,
            start: told.part.days.start(),
            end: told.part.days.end(),
            state: told.state,
            failures: told.failures,
            error: told.error,
            at: told.at,
            rows: told.rows,
        }
    }
}
