//! Recorded history: a folder of DBN files, served as one.
//!
//! Files may overlap: for each dataset, schema, instrument and UTC day of the index timestamp, the
//! records are those of one file, the one that has most of them; of several with as many, the first
//! by path. Old versions are upgraded to version 3. Only the index is held in memory.
//!
//! A revised day has the first trade, quote or order of each instrument twice; bars stay unique.

pub(crate) mod scan;
pub(crate) mod names;
pub(crate) mod owners;
pub(crate) mod replay;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use dbn::{SType, Schema};

use self::{
    names::Names,
    owners::{Owners, Part},
    replay::Replay,
    scan::{Scanned, dbn_files, scan},
};
use crate::{
    clock::{Day, DayRange},
    error::Error,
    history::{Availability, History, Mapping, Slice},
    records::{Layout, Ready, Source, chain::Chain, merge::Merge},
};

/// Files under a folder that can't be served, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why it is left out.
    pub reason: String,
}

/// Recorded history behind the interface of any history.
#[derive(Debug)]
pub(crate) struct Recorded {
    datasets: BTreeMap<String, Dataset>,
}

#[derive(Debug, Default)]
struct Dataset {
    schemas: BTreeMap<Schema, Owners>,
    names: Names,
    /// The days with records of any schema.
    days: BTreeSet<Day>,
}

impl Recorded {
    /// Reads every file under `folder` once.
    ///
    /// # Errors
    /// A folder that can't be listed.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Vec<Skipped>), Error> {
        let mut recorded = Self {
            datasets: BTreeMap::new(),
        };
        let mut skipped = Vec::new();
        for path in dbn_files(folder)? {
            match scan(&path) {
                Ok(scanned) => recorded.add(path, scanned),
                Err(reason) => skipped.push(Skipped { path, reason }),
            }
        }
        for dataset in recorded.datasets.values_mut() {
            dataset.finish();
        }
        Ok((recorded, skipped))
    }

    fn add(&mut self, path: PathBuf, scanned: Scanned) {
        let dataset = self
            .datasets
            .entry(scanned.metadata.dataset.clone())
            .or_default();
        dataset.names.add(&scanned.metadata);
        dataset
            .schemas
            .entry(scanned.schema)
            .or_default()
            .add(path, scanned.counts);
    }
}

impl Dataset {
    /// Notes the days held, and gives a name to instruments on days for which no file has one: the
    /// id.
    fn finish(&mut self) {
        let held: BTreeSet<(u32, Day)> = self
            .schemas
            .values()
            .flat_map(|owners| owners.held().map(|(day, id)| (id, day)))
            .collect();
        for (id, day) in held {
            self.names.name_if_unnamed(id, day);
            self.days.insert(day);
        }
    }
}

/// Whether a revised day repeats records of this schema: bars and definitions stay unique.
fn is_revisable(schema: Schema) -> bool {
    matches!(
        schema,
        Schema::Trades | Schema::Tbbo | Schema::Mbp1 | Schema::Mbp10 | Schema::Mbo
    )
}

impl Recorded {
    fn owners(&self, dataset: &str, schema: Schema) -> Option<&Owners> {
        self.datasets.get(dataset)?.schemas.get(&schema)
    }

    /// Counts the part of a slice that isn't whole days by reading it.
    fn count_read(&self, slice: &Slice) -> io::Result<u64> {
        let size = Layout::of(slice.schema).size;
        let mut source = self.open(slice)?;
        let (mut count, mut block) = (0, Vec::new());
        loop {
            block.clear();
            source.refill(&mut block)?;
            if block.is_empty() {
                return Ok(count);
            }
            count += u64::try_from(block.len() / size).unwrap_or(u64::MAX);
        }
    }
}

impl History for Recorded {
    fn datasets(&self) -> Vec<String> {
        self.datasets.keys().cloned().collect()
    }

    fn available(&self, dataset: &str) -> Option<Availability> {
        let schemas = &self.datasets.get(dataset)?.schemas;
        let days: Vec<(Schema, DayRange)> = schemas
            .iter()
            .filter_map(|(schema, owners)| Some((*schema, owners.days()?)))
            .collect();
        let first = days.iter().map(|(_, days)| days.first).min()?;
        let end = days.iter().map(|(_, days)| days.end).max()?;
        let schemas = days
            .iter()
            .map(|(schema, days)| (*schema, days.first.midnight(), days.end.midnight()))
            .collect();
        Some(Availability {
            start: first.midnight(),
            end: end.midnight(),
            schemas,
        })
    }

    fn resolve(
        &self,
        dataset: &str,
        stype_in: SType,
        symbol: &str,
        days: DayRange,
    ) -> Vec<Mapping> {
        self.datasets
            .get(dataset)
            .map(|dataset| dataset.names.resolve(stype_in, symbol, days))
            .unwrap_or_default()
    }

    fn resolve_all(&self, dataset: &str, days: DayRange) -> Vec<Mapping> {
        self.datasets
            .get(dataset)
            .map(|dataset| dataset.names.resolve_all(days))
            .unwrap_or_default()
    }

    fn is_listed_day(&self, dataset: &str, day: Day) -> bool {
        self.datasets
            .get(dataset)
            .is_some_and(|dataset| dataset.days.contains(&day))
    }

    fn count(&self, slice: &Slice) -> io::Result<u64> {
        let Some(owners) = self.owners(&slice.dataset, slice.schema) else {
            return Ok(0);
        };
        let whole = DayRange::new(slice.start.day_ceil(), slice.end.day());
        if whole.is_empty() {
            return self.count_read(slice);
        }
        let part = |start, end| Slice {
            start,
            end,
            ..slice.clone()
        };
        let middle = part(whole.first.midnight(), whole.end.midnight());
        let mut count = 0;
        for (day, _, owner) in owners.of_slice(&middle) {
            let repeated = if is_revisable(slice.schema) {
                u64::from(slice.conditions.revision(day))
            } else {
                0
            };
            count += owner.records + repeated;
        }
        for (start, end) in [(slice.start, middle.start), (middle.end, slice.end)] {
            if start < end {
                count += self.count_read(&part(start, end))?;
            }
        }
        Ok(count)
    }

    fn open(&self, slice: &Slice) -> io::Result<Box<dyn Source>> {
        let Some(owners) = self.owners(&slice.dataset, slice.schema) else {
            return Ok(Box::new(Ready(Vec::new())));
        };
        let slice = slice.clone();
        let layout = Layout::of(slice.schema);
        let clusters = owners.clusters(&slice).into_iter();
        Ok(Box::new(Chain::new(clusters.map(move |files| {
            let mut sources: Vec<Box<dyn Source>> = Vec::with_capacity(files.len());
            for Part { path, owned } in files {
                sources.push(Box::new(Replay::open(&path, &slice, owned)?));
            }
            let merged: Box<dyn Source> = Box::new(Merge::new(layout, sources));
            Ok(merged)
        }))))
    }
}
