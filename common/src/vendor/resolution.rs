//! What symbols mean: instruments, each over some days.

use std::collections::BTreeMap;

use dbn::MappingInterval;

use super::dates::day_range;
use super::error::VendorError;
use crate::time::DayRange;

/// A symbol's instrument over some days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SymbolWindow {
    /// The instrument.
    pub instrument_id: u32,
    /// The UTC days.
    pub days: DayRange,
}

/// What symbols mean, by the vendor's symbology.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Each symbol's instruments, in the order of days.
    pub windows: BTreeMap<String, Vec<SymbolWindow>>,
}

impl SymbolWindow {
    /// A window as the vendor writes it; `None` where it names no instrument or no day.
    ///
    /// # Errors
    /// [`VendorError::Unreadable`] when the symbol is no instrument id.
    pub fn read(interval: &MappingInterval) -> Result<Option<Self>, VendorError> {
        let days = day_range(interval.start_date, interval.end_date);
        let Some(days) = days.filter(|_| !interval.symbol.is_empty()) else {
            return Ok(None);
        };
        let instrument_id = parse_id(&interval.symbol)?;
        Ok(Some(Self {
            instrument_id,
            days,
        }))
    }
}

impl Resolution {
    /// Takes an answer in; under `parent`, when it is about that alone.
    ///
    /// # Errors
    /// [`VendorError::Unreadable`] when what a symbol means is no instrument.
    pub fn take(
        &mut self,
        answer: databento::historical::symbology::Resolution,
        parent: Option<&String>,
    ) -> Result<(), VendorError> {
        for (symbol, intervals) in answer.mappings {
            let symbol = parent.cloned().unwrap_or(symbol);
            let of_symbol = self.windows.entry(symbol).or_default();
            for interval in &intervals {
                of_symbol.extend(SymbolWindow::read(interval)?);
            }
            of_symbol.sort_by_key(|window| (window.days, window.instrument_id));
        }
        Ok(())
    }
}

pub(super) fn parse_id(text: &str) -> Result<u32, VendorError> {
    text.parse()
        .map_err(|_| VendorError::Unreadable(format!("{text:?} is not an instrument id")))
}
