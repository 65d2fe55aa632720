//! What the server serves: the history that a request selects from, recorded or synthetic.

use std::{collections::HashMap, io};

use dbn::{SType, Schema};

use crate::{
    clock::{Day, DayRange, Nanos},
    records::Source,
};

/// A source of market history. All answers are the same at any time, apart from what [`Conditions`]
/// change.
pub(crate) trait History: Send + Sync {
    /// The dataset codes, sorted.
    fn datasets(&self) -> Vec<String>;

    /// From when to when each schema of a dataset is available; `None` for an unknown dataset.
    fn available(&self, dataset: &str) -> Option<Availability>;

    /// The instruments that `symbol` stands for over `days`, one mapping a run of days. Empty where
    /// nothing is known by that symbol.
    fn resolve(&self, dataset: &str, stype_in: SType, symbol: &str, days: DayRange)
    -> Vec<Mapping>;

    /// Every instrument over `days`, under its raw symbol.
    fn resolve_all(&self, dataset: &str, days: DayRange) -> Vec<Mapping>;

    /// Whether `day` counts: false on days without a session, on which no symbol resolves.
    fn is_listed_day(&self, dataset: &str, day: Day) -> bool;

    /// The number of records in a slice.
    ///
    /// # Errors
    /// A recorded file that can no longer be read.
    fn count(&self, slice: &Slice) -> io::Result<u64>;

    /// The records of a slice in index-time order.
    ///
    /// # Errors
    /// A recorded file that can no longer be read.
    fn open(&self, slice: &Slice) -> io::Result<Box<dyn Source>>;
}

/// From when to when a dataset is available.
#[derive(Debug, Clone)]
pub(crate) struct Availability {
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) schemas: Vec<(Schema, Nanos, Nanos)>,
}

impl Availability {
    pub(crate) fn has_schema(&self, schema: Schema) -> bool {
        self.schemas
            .iter()
            .any(|(available, ..)| *available == schema)
    }
}

/// A symbol's instrument over a run of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The symbol under which the mapping is reported: the one asked for, or for a parent the
    /// member's raw symbol.
    pub(crate) key: String,
    pub(crate) instrument_id: u32,
    pub(crate) raw_symbol: String,
    pub(crate) days: DayRange,
}

/// The records of one request: everything of a schema in a range of index time, for all or some
/// instruments.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) dataset: String,
    pub(crate) schema: Schema,
    pub(crate) selection: Selection,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) conditions: Conditions,
}

impl Slice {
    pub(crate) fn days(&self) -> DayRange {
        DayRange::touched_by(self.start, self.end)
    }
}

/// Which instruments, and on which days each.
#[derive(Debug, Clone)]
pub(crate) enum Selection {
    All,
    /// Sorted by id, without overlaps within one id.
    Instruments(Vec<(u32, DayRange)>),
}

impl Selection {
    pub(crate) fn of(mappings: &[Mapping]) -> Self {
        let mut windows: Vec<(u32, DayRange)> = mappings
            .iter()
            .map(|mapping| (mapping.instrument_id, mapping.days))
            .collect();
        windows.sort_by_key(|(id, days)| (*id, days.first));
        let mut merged: Vec<(u32, DayRange)> = Vec::with_capacity(windows.len());
        for (id, days) in windows {
            match merged.last_mut() {
                Some((last_id, last)) if *last_id == id && days.first <= last.end => {
                    last.end = last.end.max(days.end)
                }
                _ => merged.push((id, days)),
            }
        }
        Self::Instruments(merged)
    }

    /// The ids selected on `day`, sorted; `None` for all.
    pub(crate) fn ids_on(&self, day: Day) -> Option<Vec<u32>> {
        match self {
            Self::All => None,
            Self::Instruments(windows) => Some(
                windows
                    .iter()
                    .filter(|(_, days)| days.contains(day))
                    .map(|(id, _)| *id)
                    .collect(),
            ),
        }
    }

    pub(crate) fn contains(&self, id: u32, day: Day) -> bool {
        match self {
            Self::All => true,
            Self::Instruments(windows) => {
                let first = windows.partition_point(|(window_id, _)| *window_id < id);
                windows[first..]
                    .iter()
                    .take_while(|(window_id, _)| *window_id == id)
                    .any(|(_, days)| days.contains(day))
            }
        }
    }
}

/// Days whose records differ from what they would be, by the faults in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// How many times a day was revised.
    pub(crate) revisions: HashMap<Day, u32>,
    /// Days without records.
    pub(crate) absent: Vec<Day>,
}

impl Conditions {
    pub(crate) fn revision(&self, day: Day) -> u32 {
        self.revisions.get(&day).copied().unwrap_or(0)
    }

    pub(crate) fn is_absent(&self, day: Day) -> bool {
        self.absent.contains(&day)
    }
}
