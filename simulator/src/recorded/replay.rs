//! The records of one file that a request asks for.

use std::{collections::BTreeSet, io, path::Path};

use dbn::{Record, decode::DecodeRecordRef};

use super::{
    is_revisable,
    scan::{Records, open},
};
use crate::{
    clock::{Day, Nanos},
    history::Slice,
    records::{BLOCK_RECORDS, Layout, Source},
};

/// A file read once more, for the instruments and days that it owns.
pub(crate) struct Replay {
    records: Records,
    slice: Slice,
    owned: BTreeSet<(Day, u32)>,
    /// Instruments and days of which a record has passed, for the repetitions of a revised day.
    seen: BTreeSet<(Day, u32)>,
}

impl Replay {
    pub(crate) fn open(
        path: &Path,
        slice: &Slice,
        owned: BTreeSet<(Day, u32)>,
    ) -> io::Result<Self> {
        let records = open(path)?.map_err(io::Error::other)?;
        Ok(Self {
            records,
            slice: slice.clone(),
            owned,
            seen: BTreeSet::new(),
        })
    }

    /// How often a record appears: a revised day has its first record of each instrument several
    /// times.
    fn repetitions(&mut self, day: Day, id: u32) -> u32 {
        let revision = self.slice.conditions.revision(day);
        let first = revision > 0 && is_revisable(self.slice.schema) && self.seen.insert((day, id));
        if first { revision + 1 } else { 1 }
    }
}

impl Source for Replay {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let full = BLOCK_RECORDS * Layout::of(self.slice.schema).size;
        while block.len() < full {
            let Some(record) = self.records.decode_record_ref().map_err(io::Error::other)? else {
                break;
            };
            let at = Nanos(record.raw_index_ts());
            let id = u32::try_from(record.instrument_id()).map_err(io::Error::other)?;
            if !self.owned.contains(&(at.day(), id)) {
                continue;
            }
            let bytes = record.as_ref().to_vec();
            let repetitions = self.repetitions(at.day(), id);
            if self.slice.start <= at && at < self.slice.end {
                (0..repetitions).for_each(|_| block.extend_from_slice(&bytes));
            }
        }
        Ok(())
    }
}
