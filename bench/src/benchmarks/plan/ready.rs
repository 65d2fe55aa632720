//! A source that knows every symbol, and counts a thousand records a day.

use common::money::Usd;
use common::source::{Answer, Pieces, Source, SourceError, Uncovered};
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::{DayCondition, RangeRequest, Resolution, SymbolWindow, VendorError};
use dbn::{SType, Schema};

/// Knows every symbol, and counts a thousand records a day.
#[derive(Debug)]
pub struct Ready;

impl Source for Ready {
    fn datasets(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(vec!["GLBX.MDP3".to_owned()]) })
    }

    fn schemas<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<Schema>> {
        Box::pin(async { Ok(vec![Schema::Trades]) })
    }

    fn available<'a>(&'a self, _: &'a str, _: Schema) -> Answer<'a, Span> {
        let end = Day::from_ymd(2030, 1, 1).expect("a day").start();
        let start = Nanos(0);
        Box::pin(async move { Ok(Span { start, end }) })
    }

    fn conditions<'a>(&'a self, _: &'a str, _: DayRange) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn uncovered<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn caveat(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Resolution> {
        let window = |instrument_id| {
            vec![SymbolWindow {
                instrument_id,
                days,
            }]
        };
        let windows = symbols.iter().cloned().zip((1..).map(window)).collect();
        Box::pin(async move { Ok(Resolution { windows }) })
    }

    fn record_count<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async { Ok(1_000) })
    }

    fn billable_bytes<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async { Ok(48_000) })
    }

    fn cost<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Usd> {
        Box::pin(async { Ok(Usd(1_000)) })
    }

    fn get_range<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>> {
        let none = VendorError::Unreadable("a plan asks for no records".to_owned());
        Box::pin(async { Err(none.into()) })
    }

    fn origin(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }
}
