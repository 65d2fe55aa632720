//! Symbology: what symbols meant over which days, as the database keeps it.

use std::collections::{BTreeMap, HashMap};

use dbn::SType;

use super::engine::{Transaction, Turn};
use super::statement::{ROWS_PER_STATEMENT, Row, all_tuples, statement, tuples};
use super::{Chunk, StoreError};
use crate::time::{Day, DayRange};
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

/// What one symbol means, of one kind: its number, and the days.
type Meaning = (SType, String, u32);

/// Notes what symbols meant; windows of the same meaning that touch become one.
pub(super) async fn insert_windows(
    transaction: &mut Transaction,
    dataset: &str,
    windows: &[(SType, String, SymbolWindow)],
) -> Result<(), StoreError> {
    let known = read_windows(transaction, dataset, windows).await?;
    if Changes::between(&known, windows).are_none() {
        return Ok(());
    }
    // Two transactions that joined the same windows would not see each other's.
    let turn = format!("symbology {dataset}");
    transaction.turn(&turn, Turn::Alone).await?;
    let known = read_windows(transaction, dataset, windows).await?;
    let changes = Changes::between(&known, windows);
    for removed in changes.removed.chunks(ROWS_PER_STATEMENT) {
        let mut delete = statement(format!(
            "DELETE FROM symbology WHERE dataset = $1
                 AND (stype_in, symbol, instrument_id, start_date) IN (VALUES {})",
            tuples(2, removed.len(), 4)
        ))
        .bind(dataset);
        for ((stype, symbol, instrument_id), days) in removed {
            delete = delete
                .bind(stype.as_str())
                .bind(symbol)
                .bind(*instrument_id)
                .bind(days.start().to_string());
        }
        delete.execute(&mut *transaction).await?;
    }
    for added in changes.added.chunks(ROWS_PER_STATEMENT) {
        let mut insert = statement(format!(
            "INSERT INTO symbology
                 (dataset, stype_in, symbol, instrument_id, start_date, end_date) VALUES {}",
            all_tuples(transaction, added.len(), 6)
        ));
        for ((stype, symbol, instrument_id), days) in added {
            insert = insert
                .bind(dataset)
                .bind(stype.as_str())
                .bind(symbol)
                .bind(*instrument_id)
                .bind(days.start().to_string())
                .bind(days.end().to_string());
        }
        insert.execute(&mut *transaction).await?;
    }
    Ok(())
}

/// What windows change of what is known.
#[derive(Default)]
struct Changes {
    removed: Vec<(Meaning, DayRange)>,
    added: Vec<(Meaning, DayRange)>,
}

impl Changes {
    fn between(
        known: &HashMap<Meaning, Vec<DayRange>>,
        windows: &[(SType, String, SymbolWindow)],
    ) -> Self {
        let mut new: BTreeMap<(&str, &str, u32), (SType, Vec<DayRange>)> = BTreeMap::new();
        for (stype, symbol, window) in windows {
            let meaning = (stype.as_str(), symbol.as_str(), window.instrument_id);
            let entry = new.entry(meaning).or_insert((*stype, Vec::new()));
            entry.1.push(window.days);
        }
        let mut changes = Self::default();
        for ((_, symbol, instrument_id), (stype, days)) in new {
            let meaning = (stype, symbol.to_owned(), instrument_id);
            let before = known.get(&meaning).map_or(&[][..], Vec::as_slice);
            let after = joined(before.iter().copied().chain(days).collect());
            let differ = |these: &[DayRange], those: &[DayRange]| {
                let missing = these.iter().filter(|days| !those.contains(days));
                missing
                    .map(|days| (meaning.clone(), *days))
                    .collect::<Vec<_>>()
            };
            changes.removed.extend(differ(before, &after));
            changes.added.extend(differ(&after, before));
        }
        changes
    }

    fn are_none(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// The same days, in as few ranges as there can be.
fn joined(mut ranges: Vec<DayRange>) -> Vec<DayRange> {
    ranges.sort_unstable();
    let mut joined: Vec<DayRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let touching = joined.last_mut().filter(|last| range.start() <= last.end());
        match touching {
            Some(last) => {
                let end = last.end().max(range.end());
                *last = DayRange::new(last.start(), end).unwrap_or(*last);
            }
            None => joined.push(range),
        }
    }
    joined
}

/// What is known of the windows' symbols.
async fn read_windows(
    transaction: &mut Transaction,
    dataset: &str,
    windows: &[(SType, String, SymbolWindow)],
) -> Result<HashMap<Meaning, Vec<DayRange>>, StoreError> {
    let mut symbols: Vec<_> = windows.iter().map(|(_, symbol, _)| symbol).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let mut known: HashMap<Meaning, Vec<DayRange>> = HashMap::new();
    for symbols in symbols.chunks(ROWS_PER_STATEMENT) {
        let mut select = statement(format!(
            "SELECT {WINDOW} FROM symbology WHERE dataset = $1 AND symbol IN (VALUES {})",
            tuples(2, symbols.len(), 1)
        ))
        .bind(dataset);
        for symbol in symbols {
            select = select.bind(*symbol);
        }
        for row in select.fetch_all(&mut *transaction).await? {
            if let Some((stype, symbol, window)) = window(&row)? {
                let meaning = (stype, symbol, window.instrument_id);
                known.entry(meaning).or_default().push(window.days);
            }
        }
    }
    Ok(known)
}

/// The columns that [`window`] reads.
pub(super) const WINDOW: &str = "stype_in, symbol, instrument_id, start_date, end_date";

/// What a symbol meant over some days, of one kind; `None` where these are none.
pub(super) fn window(row: &Row) -> Result<Option<(SType, String, SymbolWindow)>, StoreError> {
    let day = |column| parse_day(&row.get::<String>(column)?);
    let Some(days) = DayRange::new(day("start_date")?, day("end_date")?) else {
        return Ok(None);
    };
    let instrument: i64 = row.get("instrument_id")?;
    let window = SymbolWindow {
        instrument_id: u32::try_from(instrument).unwrap_or_default(),
        days,
    };
    let stype = super::claim::parse(&row.get::<String>("stype_in")?)?;
    Ok(Some((stype, row.get("symbol")?, window)))
}

pub(super) fn parse_day(text: &str) -> Result<Day, StoreError> {
    let date = super::claim::parse::<chrono::NaiveDate>(text)?;
    Day::try_from(date).map_err(|error| StoreError::Unreadable(error.to_string()))
}
