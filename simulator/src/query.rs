//! A request for records, read and checked: what `timeseries.get_range` and the counts and prices
//! have in common.

use std::num::NonZeroU64;

use dbn::{SType, Schema};

use crate::{
    clock::{DayRange, Nanos},
    faults::Faults,
    history::{Availability, History, Selection, Slice},
    parameters::{Parameters, Symbols},
    refusal::Refusal,
    symbology::{Resolution, resolve},
};

/// A request for records.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) dataset: String,
    pub(crate) schema: Schema,
    pub(crate) stype_in: SType,
    pub(crate) stype_out: SType,
    pub(crate) symbols: Symbols,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) limit: Option<NonZeroU64>,
}

impl Query {
    /// Reads the parameters and checks them against what is available.
    pub(crate) fn read(parameters: &Parameters, history: &dyn History) -> Result<Self, Refusal> {
        let dataset = parameters.required("dataset")?.to_owned();
        let available = available(history, &dataset)?;
        let stype_in = parameters.stype_in()?;
        let (start, end) = parameters.time_range()?;
        let query = Self {
            schema: parameters.schema()?,
            stype_in,
            stype_out: parameters.stype_out()?,
            symbols: parameters.symbols(stype_in)?,
            start,
            end,
            limit: parameters.limit()?,
            dataset,
        };
        query.check(&available)?;
        Ok(query)
    }

    fn check(&self, available: &Availability) -> Result<(), Refusal> {
        if !available.has_schema(self.schema) {
            let message = format!(
                "The schema `{}` is not available for dataset {}.",
                self.schema, self.dataset
            );
            return Err(Refusal::business(422, "data_schema_not_available", message));
        }
        match self.range_trouble(available) {
            None => Ok(()),
            Some((case, message)) => {
                let (asked, range) = ((self.start, self.end), (available.start, available.end));
                Err(Refusal::range(case, message, &self.dataset, asked, range))
            }
        }
    }

    /// What is wrong with the range of time, as case and message.
    fn range_trouble(&self, available: &Availability) -> Option<(&'static str, String)> {
        let (dataset, start, end) = (&self.dataset, self.start, self.end);
        let (first, last) = (plain(available.start), plain(available.end));
        if start >= end {
            let message = format!("`start` {start} is on or after `end` {end}.");
            return Some(("data_time_range_start_on_or_after_end", message));
        }
        if start < available.start {
            let message =
                format!("`start` is before the available start of dataset {dataset}: '{first}'.");
            return Some(("data_start_before_available_start", message));
        }
        if start >= available.end {
            let message =
                format!("`start` is after the available end of dataset {dataset}: '{last}'.");
            return Some(("data_start_after_available_end", message));
        }
        let message = || format!("The dataset {dataset} has data available up to '{last}'.");
        (end > available.end).then(|| ("data_end_after_available_end", message()))
    }

    pub(crate) fn days(&self) -> DayRange {
        DayRange::touched_by(self.start, self.end)
    }

    /// The instruments asked for. All of a dataset aren't listed, as a stream of them doesn't say
    /// either.
    pub(crate) fn resolve(&self, history: &dyn History) -> Result<Resolution, Refusal> {
        match self.symbols {
            Symbols::All => {
                let any_day = self
                    .days()
                    .days()
                    .any(|day| history.is_listed_day(&self.dataset, day));
                let resolution = Resolution::default();
                if any_day {
                    Ok(resolution)
                } else {
                    resolution.or_refuse()
                }
            }
            Symbols::Some(_) => {
                let types = (self.stype_in, self.stype_out);
                resolve(history, &self.dataset, types, &self.symbols, self.days())?.or_refuse()
            }
        }
    }

    /// The records asked for, as the faults in force leave them.
    pub(crate) fn slice(&self, resolution: &Resolution, faults: &Faults) -> Slice {
        let selection = match &self.symbols {
            Symbols::All => Selection::All,
            // As at the vendor, continuous symbols have no definitions.
            Symbols::Some(_)
                if self.schema == Schema::Definition && self.stype_in == SType::Continuous =>
            {
                Selection::of(&[])
            }
            Symbols::Some(_) => Selection::of(&resolution.mappings),
        };
        Slice {
            dataset: self.dataset.clone(),
            schema: self.schema,
            selection,
            start: self.start,
            end: self.end,
            conditions: faults.conditions(&self.dataset),
        }
    }

    /// A number of records, as limited.
    pub(crate) fn limited(&self, count: u64) -> u64 {
        self.limit.map_or(count, |limit| count.min(limit.get()))
    }
}

/// What is available of a dataset.
pub(crate) fn available(history: &dyn History, dataset: &str) -> Result<Availability, Refusal> {
    history.available(dataset).ok_or_else(|| {
        Refusal::business(
            404,
            "dataset_not_found",
            format!("The dataset `{dataset}` was not found."),
        )
    })
}

/// A moment as messages give it, such as `2024-01-02 00:00:00+00:00`.
fn plain(at: Nanos) -> String {
    let text = at.to_string();
    format!("{} {}+00:00", &text[..10], &text[11..19])
}
