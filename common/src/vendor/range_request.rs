//! A request for records: what is sent for a chunk, and what an archived answer is found by.

use databento::historical::DateTimeRange;
use databento::historical::metadata::GetQueryParams;
use dbn::{SType, Schema};
use serde::{Deserialize, Serialize};

use super::dates::offset;
use super::error::VendorError;
use crate::request::Symbols;
use crate::time::{DayRange, Span};

/// What one request for data names. It is also what an archived answer is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RangeRequest {
    /// The dataset.
    pub dataset: String,
    /// The schema, as the vendor names it.
    pub schema: String,
    /// How the symbols are written.
    pub stype_in: String,
    /// The symbols.
    pub symbols: Symbols,
    /// Index time.
    pub span: Span,
}

impl RangeRequest {
    /// What to ask for these symbols and days.
    ///
    /// The vendor answers nothing for definitions of continuous symbols: all are asked for, and
    /// the worker keeps those of the instruments that the symbols mean.
    #[must_use]
    pub fn new(
        dataset: &str,
        schema: Schema,
        stype_in: SType,
        symbols: &Symbols,
        days: DayRange,
    ) -> Self {
        let unanswered = schema == Schema::Definition && stype_in == SType::Continuous;
        let (symbols, stype_in) = match symbols {
            Symbols::Named(_) if !unanswered => (symbols.clone(), stype_in),
            Symbols::Named(_) | Symbols::All(_) => (Symbols::ALL, SType::RawSymbol),
        };
        Self {
            dataset: dataset.to_owned(),
            schema: schema.as_str().to_owned(),
            stype_in: stype_in.as_str().to_owned(),
            symbols,
            span: days.span(),
        }
    }

    /// The request whose answer has this one's records among others: definitions of some symbols are
    /// among those of all. Who has paid for these never pays for them again.
    #[must_use]
    pub fn wider(&self) -> Option<Self> {
        let is_part = self.schema == Schema::Definition.as_str() && self.symbols.names().is_some();
        is_part.then(|| Self {
            stype_in: SType::RawSymbol.as_str().to_owned(),
            symbols: Symbols::ALL,
            ..self.clone()
        })
    }

    /// The request as JSON with its keys in one order: equal requests give equal text.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_value(self).unwrap_or_default().to_string()
    }

    /// The request as the metadata endpoints take it.
    pub(super) fn query(&self) -> Result<GetQueryParams, VendorError> {
        let unknown = |what: &str| VendorError::Unreadable(format!("unknown {what} in a request"));
        let symbols = match &self.symbols {
            Symbols::All(_) => databento::Symbols::All,
            Symbols::Named(names) => databento::Symbols::Symbols(names.clone()),
        };
        let range = DateTimeRange::from((offset(self.span.start), offset(self.span.end)));
        Ok(GetQueryParams::builder()
            .dataset(&self.dataset)
            .symbols(symbols)
            .schema(self.schema.parse().map_err(|_| unknown("schema"))?)
            .date_time_range(range)
            .stype_in(self.stype_in.parse().map_err(|_| unknown("symbol type"))?)
            .build())
    }
}
