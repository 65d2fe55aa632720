//! Symbology: what symbols meant over which days, as the database keeps it.

use dbn::SType;
use sqlx::{Row, SqliteConnection};

use super::{Chunk, StoreError};
use crate::time::Day;
use crate::vendor::{Resolution, SymbolWindow};

/// What each symbol of a chunk meant: symbols that were asked for by their own type; those that the
/// vendor names on its own (a parent's members) are raw.
pub(super) fn symbol_windows(
    chunk: &Chunk,
    resolution: &Resolution,
) -> Vec<(SType, String, SymbolWindow)> {
    let asked = chunk.symbols.names().unwrap_or_default();
    let mut windows = Vec::new();
    for (symbol, of_symbol) in &resolution.windows {
        let stype = match asked.binary_search(symbol) {
            Ok(_) => chunk.stype_in,
            Err(_) => SType::RawSymbol,
        };
        windows.extend(
            of_symbol
                .iter()
                .map(|window| (stype, symbol.clone(), window.clone())),
        );
    }
    windows
}

/// Notes what symbols meant; windows of the same meaning that touch become one.
pub(super) async fn insert_windows(
    connection: &mut SqliteConnection,
    dataset: &str,
    windows: &[(SType, String, SymbolWindow)],
) -> Result<(), StoreError> {
    for (stype, symbol, window) in windows {
        let (mut start, mut end) = (window.days.start(), window.days.end());
        let touching = sqlx::query(
            "DELETE FROM symbology WHERE dataset = ?1 AND stype_in = ?2 AND symbol = ?3
                 AND instrument_id = ?4 AND start_date <= ?6 AND end_date >= ?5
             RETURNING start_date, end_date",
        )
        .bind(dataset)
        .bind(stype.as_str())
        .bind(symbol)
        .bind(window.instrument_id)
        .bind(start.to_string())
        .bind(end.to_string())
        .fetch_all(&mut *connection)
        .await?;
        for row in touching {
            start = start.min(parse_day(&row.try_get::<String, _>("start_date")?)?);
            end = end.max(parse_day(&row.try_get::<String, _>("end_date")?)?);
        }
        sqlx::query(
            "INSERT INTO symbology
                 (dataset, stype_in, symbol, instrument_id, start_date, end_date)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(dataset)
        .bind(stype.as_str())
        .bind(symbol)
        .bind(window.instrument_id)
        .bind(start.to_string())
        .bind(end.to_string())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn parse_day(text: &str) -> Result<Day, StoreError> {
    let date = super::claim::parse::<chrono::NaiveDate>(text)?;
    Day::try_from(date).map_err(|error| StoreError::Unreadable(error.to_string()))
}
