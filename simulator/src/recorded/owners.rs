//! Which file provides what, where files overlap.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
};

use crate::{
    clock::{Day, DayRange},
    history::Slice,
};

/// Which file has the records of an instrument and day, and how many.
#[derive(Debug, Default, Clone)]
pub(crate) struct Owners {
    files: Vec<PathBuf>,
    days: BTreeMap<(Day, u32), Owner>,
}

/// A file and what it provides of a slice.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) owned: BTreeSet<(Day, u32)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    file: usize,
    pub(crate) records: u64,
}

impl Owners {
    pub(crate) fn add(&mut self, path: PathBuf, counts: HashMap<(Day, u32), u64>) {
        let file = self.files.len();
        self.files.push(path);
        for (key, records) in counts {
            let owner = self.days.entry(key).or_insert(Owner { file, records });
            if records > owner.records {
                *owner = Owner { file, records };
            }
        }
    }

    /// The days and instruments with records.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Day, u32)> + '_ {
        self.days.keys().copied()
    }

    fn over(&self, days: DayRange) -> impl Iterator<Item = (Day, u32, Owner)> + '_ {
        let range = (days.first, 0)..(days.end.max(days.first), 0);
        self.days
            .range(range)
            .map(|((day, id), owner)| (*day, *id, *owner))
    }

    /// The owners of the records of a slice.
    pub(crate) fn of_slice<'a>(
        &'a self,
        slice: &'a Slice,
    ) -> impl Iterator<Item = (Day, u32, Owner)> + 'a {
        self.over(slice.days()).filter(|(day, id, _)| {
            slice.selection.contains(*id, *day) && !slice.conditions.is_absent(*day)
        })
    }

    /// The files of a slice, in groups of which one ends before the next begins, so that not all
    /// of them need be open at a time.
    pub(crate) fn clusters(&self, slice: &Slice) -> Vec<Vec<Part>> {
        let mut by_file: BTreeMap<usize, BTreeSet<(Day, u32)>> = BTreeMap::new();
        for (day, id, owner) in self.of_slice(slice) {
            by_file.entry(owner.file).or_default().insert((day, id));
        }
        let span = |owned: &BTreeSet<(Day, u32)>| {
            let (first, last) = (owned.first(), owned.last());
            first
                .zip(last)
                .map(|((first, _), (last, _))| (*first, *last))
        };
        let mut files: Vec<_> = by_file
            .into_iter()
            .filter_map(|(file, owned)| Some((span(&owned)?, file, owned)))
            .collect();
        files.sort_by_key(|((first, _), file, _)| (*first, *file));
        let mut clusters: Vec<(Day, BTreeMap<usize, Part>)> = Vec::new();
        for ((first, last), file, owned) in files {
            let part = Part {
                path: self.files[file].clone(),
                owned,
            };
            match clusters.last_mut() {
                Some((end, parts)) if first <= *end => {
                    *end = last.max(*end);
                    parts.insert(file, part);
                }
                _ => clusters.push((last, BTreeMap::from([(file, part)]))),
            }
        }
        // Always in the order of the files, so that records of equal time keep theirs in any cut.
        clusters
            .into_iter()
            .map(|(_, parts)| parts.into_values().collect())
            .collect()
    }

    pub(crate) fn days(&self) -> Option<DayRange> {
        let ((first, _), _) = self.days.first_key_value()?;
        let ((last, _), _) = self.days.last_key_value()?;
        Some(DayRange::new(*first, last.next()))
    }
}
