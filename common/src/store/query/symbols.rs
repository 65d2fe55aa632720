//! What symbols mean: instruments, each over some time, by the symbology that came with the records
//! and by the definitions.
//!
//! | symbol | what it means |
//! |---|---|
//! | any that the symbology knows, such as `ES.c.0` | its instruments, each over its days |
//! | a raw symbol, such as `ESH4` | also what the definitions call so, from one to the next |
//! | a parent, such as `ES.FUT` | its members: by the symbology, by the definitions' asset, by how raw symbols are written |
//! | a number | the instrument of that number, at all times |

mod parents;

use std::collections::HashMap;
use std::sync::Arc;

use dbn::SType;

use self::parents::Parent;
use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::rows::quoted;
use super::super::statement::{ROWS_PER_STATEMENT, Row, statement, tuples};
use super::super::symbology::{WINDOW, window};
use super::definitions::{Attribute, changes, instruments_with, spans};
use super::held::HeldDataset;
use crate::nearest::nearest_few;
use crate::query::UnknownSymbol;
use crate::time::{Nanos, Span};

/// An instrument over some time.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    pub(super) dataset: Arc<str>,
    pub(super) instrument: i64,
    pub(super) span: Span,
}

/// What each symbol means that means anything.
type Meanings = HashMap<String, Vec<Meaning>>;

/// Kinds of symbols as the symbology has them: those that jobs ask for.
const STYPES: &str = "stype_in IN ('raw_symbol', 'continuous', 'parent', 'instrument_id')";
/// Known symbols that are looked through for near ones.
const KNOWN_MAX: i64 = 200_000;
/// Near symbols, and symbols of a sample.
const NEAR: usize = 3;
const SAMPLE: usize = 8;
const ALWAYS: Span = Span {
    start: Nanos(i64::MIN),
    end: Nanos(i64::MAX),
};

/// What symbols mean; what means nothing is not in the answer.
pub(super) async fn resolve(
    on: &mut Transaction,
    symbols: &[String],
    datasets: &[HeldDataset],
    table: &str,
) -> Result<Meanings, StoreError> {
    let mut meanings = Meanings::new();
    let mut raw: HashMap<String, Vec<i64>> = HashMap::new();
    for dataset in datasets {
        for symbols in symbols.chunks(ROWS_PER_STATEMENT) {
            for row in of_symbols(on, dataset, symbols).await? {
                let Some((stype, symbol, meaning)) = meaning(&row, dataset)? else {
                    continue;
                };
                if stype == SType::RawSymbol {
                    let instruments = raw.entry(symbol.as_ref().to_owned());
                    instruments.or_default().push(meaning.instrument);
                }
                meanings
                    .entry(symbol.as_ref().to_owned())
                    .or_default()
                    .push(meaning);
            }
        }
    }
    let unknown = |meanings: &Meanings| {
        let unknown = symbols
            .iter()
            .filter(|symbol| !meanings.contains_key(*symbol));
        unknown.cloned().collect::<Vec<_>>()
    };
    let without = unknown(&meanings);
    by_definitions(on, datasets, &mut meanings, raw, &without).await?;
    for symbol in unknown(&meanings) {
        let found = match (Parent::read(&symbol), symbol.parse::<u32>()) {
            (Some(parent), _) => parents::members(on, datasets, &parent).await?,
            (None, Ok(number)) => of_number(on, datasets, table, i64::from(number)).await?,
            (None, Err(_)) => Vec::new(),
        };
        if !found.is_empty() {
            meanings.insert(symbol, found);
        }
    }
    Ok(meanings)
}

async fn of_symbols(
    on: &mut Transaction,
    dataset: &HeldDataset,
    symbols: &[String],
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT {WINDOW} FROM symbology
         WHERE dataset = $1 AND {STYPES} AND symbol IN (VALUES {})",
        tuples(2, symbols.len(), 1)
    );
    let asked = statement(sql).bind(&*dataset.name);
    let asked = symbols
        .iter()
        .fold(asked, |asked, symbol| asked.bind(symbol));
    asked.fetch_all(on).await
}

/// All that the symbology knows of a dataset.
pub(super) async fn all_windows(
    on: &mut Transaction,
    dataset: &HeldDataset,
) -> Result<Vec<(SType, Arc<str>, Meaning)>, StoreError> {
    let sql = format!(
        "SELECT {WINDOW} FROM symbology
         WHERE dataset = $1 ORDER BY stype_in, symbol, instrument_id, start_date"
    );
    let rows = statement(sql).bind(&*dataset.name).fetch_all(on).await?;
    let windows = rows.iter().map(|row| meaning(row, dataset));
    windows.filter_map(Result::transpose).collect()
}

fn meaning(
    row: &Row,
    dataset: &HeldDataset,
) -> Result<Option<(SType, Arc<str>, Meaning)>, StoreError> {
    let meant = window(row)?.map(|(stype, symbol, window)| {
        let meaning = Meaning {
            dataset: Arc::clone(&dataset.name),
            instrument: i64::from(window.instrument_id),
            span: window.days.span(),
        };
        (stype, symbol.into(), meaning)
    });
    Ok(meant)
}

/// Adds what the definitions call by a raw symbol: instruments that the symbology knows by it, at other
/// times, and those of symbols that it doesn't know.
async fn by_definitions(
    on: &mut Transaction,
    datasets: &[HeldDataset],
    meanings: &mut Meanings,
    raw: HashMap<String, Vec<i64>>,
    unknown: &[String],
) -> Result<(), StoreError> {
    let mut instruments = instruments_with(on, Attribute::RawSymbol, unknown).await?;
    instruments.extend(raw.values().flatten());
    instruments.sort_unstable();
    instruments.dedup();
    for ((dataset, instrument), said) in changes(on, Attribute::RawSymbol, &instruments).await? {
        let Some(dataset) = datasets.iter().find(|held| *held.name == *dataset) else {
            continue;
        };
        for (symbol, span) in spans(&said) {
            if raw.contains_key(symbol) || unknown.iter().any(|unknown| unknown == symbol) {
                let dataset = Arc::clone(&dataset.name);
                let meaning = Meaning {
                    dataset,
                    instrument,
                    span,
                };
                meanings.entry(symbol.to_owned()).or_default().push(meaning);
            }
        }
    }
    Ok(())
}

/// An instrument by its number, where the table has rows of it.
async fn of_number(
    on: &mut Transaction,
    datasets: &[HeldDataset],
    table: &str,
    instrument: i64,
) -> Result<Vec<Meaning>, StoreError> {
    let sql = format!(
        "SELECT 1 FROM {} WHERE instrument_id = $1 LIMIT 1",
        quoted(table)
    );
    if statement(sql)
        .bind(instrument)
        .fetch_all(on)
        .await?
        .is_empty()
    {
        return Ok(Vec::new());
    }
    let in_each = datasets.iter().map(|dataset| Meaning {
        dataset: Arc::clone(&dataset.name),
        instrument,
        span: ALWAYS,
    });
    Ok(in_each.collect())
}

/// For each unknown symbol those that are written alike, and a sample of what there is.
pub(super) async fn near(
    on: &mut Transaction,
    unknown: &[UnknownSymbol],
    datasets: &[HeldDataset],
) -> Result<(Vec<UnknownSymbol>, Vec<String>), StoreError> {
    let mut known: Vec<String> = Vec::new();
    for dataset in datasets {
        let sql = "SELECT DISTINCT stype_in, symbol FROM symbology WHERE dataset = $1
                   ORDER BY stype_in, symbol LIMIT $2";
        let rows = statement(sql)
            .bind(&*dataset.name)
            .bind(KNOWN_MAX)
            .fetch_all(&mut *on)
            .await?;
        for row in rows {
            known.push(row.get("symbol")?);
        }
    }
    let sql =
        "SELECT DISTINCT raw_symbol FROM definitions_data WHERE raw_symbol IS NOT NULL LIMIT $1";
    for row in statement(sql).bind(KNOWN_MAX).fetch_all(on).await? {
        known.push(row.at(0)?);
    }
    let near = unknown.iter().map(|unknown| UnknownSymbol {
        symbol: unknown.symbol.clone(),
        near: nearest_few(&unknown.symbol, known.iter().map(String::as_str), NEAR),
    });
    let near = near.collect();
    known.truncate(SAMPLE);
    Ok((near, known))
}
