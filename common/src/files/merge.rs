//! The merge: records of many files as one stream, in the order of index time, in flat memory.
//!
//! A file is opened once its start comes up. Within a file its own order is kept; of records with
//! the same index time, those of the file with the lesser name come first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::Read;
use std::sync::Arc;

use dbn::Metadata;

use super::error::FilesError;
use super::header::DataFile;
use super::proof::{compressed_bytes, instrument_of, read};
use super::selection::Taken;
use crate::dbn_stream::{DbnStream, Sink};
use crate::record_layout::RecordLayout;
use crate::time::Nanos;

/// Compressed bytes that are read of a file at a time.
const READ_BYTES: usize = 8 * 1024;
/// Uncompressed bytes that are taken apart at a time.
const OUTPUT_BYTES: usize = 32 * 1024;

/// A file of a merge.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file.
    pub file: Arc<DataFile>,
    /// Which of its records are taken.
    pub taken: Arc<Taken>,
    /// The least index time of its records.
    pub start: Nanos,
    /// Whether its records are in the order of index time.
    pub in_order: bool,
}

/// Hands on the records of all files, one after the other, until nobody wants them any more.
///
/// # Errors
/// [`FilesError`] when a file is no longer what it was, or `deliver` fails.
pub fn merge(
    mut inputs: Vec<Input>,
    is_gone: impl Fn() -> bool,
    mut deliver: impl FnMut(&[u8]) -> Result<(), FilesError>,
) -> Result<(), FilesError> {
    inputs.sort_by(|left, right| left.file.path.cmp(&right.file.path));
    let mut waiting: Vec<_> = inputs.into_iter().enumerate().collect();
    waiting.sort_by_key(|(rank, input)| (input.start, *rank));
    let mut waiting = VecDeque::from(waiting);
    let mut cursors: Vec<Option<Cursor>> = Vec::new();
    cursors.resize_with(waiting.len(), || None);
    let mut heads = BinaryHeap::new();
    loop {
        while let Some((rank, input)) = waiting.pop_front() {
            let starts_later = |Reverse((time, _)): &Reverse<(Nanos, usize)>| input.start > *time;
            if heads.peek().is_some_and(starts_later) {
                waiting.push_front((rank, input));
                break;
            }
            let mut cursor = Cursor::open(&input)?;
            if let Some(time) = cursor.head(&is_gone)? {
                heads.push(Reverse((time, rank)));
                cursors[rank] = Some(cursor);
            }
        }
        let Some(Reverse((_, rank))) = heads.pop() else {
            return Ok(());
        };
        let Some(cursor) = &mut cursors[rank] else {
            continue;
        };
        deliver(cursor.record())?;
        cursor.advance();
        match cursor.head(&is_gone)? {
            Some(time) => heads.push(Reverse((time, rank))),
            None => cursors[rank] = None,
        }
    }
}

/// A file that is being read, and its next record.
struct Cursor {
    file: Arc<DataFile>,
    reader: Box<dyn Read + Send>,
    /// `None` once the file is read.
    stream: Option<DbnStream>,
    buffer: Vec<u8>,
    records: Records,
    record_bytes: usize,
    position: usize,
}

impl Cursor {
    fn open(input: &Input) -> Result<Self, FilesError> {
        let file = Arc::clone(&input.file);
        file.unchanged()?;
        let stream = DbnStream::with_output(file.schema, OUTPUT_BYTES)
            .map_err(|error| FilesError::damaged(&file.path, &error))?;
        Ok(Self {
            reader: compressed_bytes(&file)?,
            stream: Some(stream),
            buffer: vec![0; READ_BYTES],
            records: Records {
                taken: Arc::clone(&input.taken),
                in_order: input.in_order,
                bytes: Vec::new(),
                times: Vec::new(),
                past: false,
            },
            record_bytes: RecordLayout::of(file.schema).record_bytes,
            position: 0,
            file,
        })
    }

    /// The next record's index time; `None` at the end.
    fn head(&mut self, is_gone: &impl Fn() -> bool) -> Result<Option<Nanos>, FilesError> {
        while self.position == self.records.times.len() {
            let Some(mut stream) = self.stream.take() else {
                return Ok(None);
            };
            // Before what is asked for there may be much to pass over.
            if is_gone() {
                return Err(FilesError::Stopped);
            }
            self.position = 0;
            self.records.bytes.clear();
            self.records.times.clear();
            if self.records.past {
                // The file was proven whole; what follows is not asked for.
                self.file.unchanged()?;
                return Ok(None);
            }
            let damaged = |error| FilesError::damaged(&self.file.path, &error);
            let read = read(&self.file, &mut self.reader, &mut self.buffer)?;
            if read == 0 {
                stream.finish().map_err(damaged)?;
                self.file.unchanged()?;
                return Ok(None);
            }
            stream
                .push(&self.buffer[..read], &mut self.records)
                .map_err(damaged)?;
            self.stream = Some(stream);
        }
        Ok(self.records.times.get(self.position).copied())
    }

    fn record(&self) -> &[u8] {
        let start = self.position * self.record_bytes;
        &self.records.bytes[start..start + self.record_bytes]
    }

    fn advance(&mut self) {
        self.position += 1;
    }
}

/// The records of a piece of a file that are taken.
struct Records {
    taken: Arc<Taken>,
    in_order: bool,
    bytes: Vec<u8>,
    times: Vec<Nanos>,
    /// Whether no further record can be taken.
    past: bool,
}

impl Sink for Records {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        if self.taken.takes(instrument_of(record), index_time) {
            self.bytes.extend_from_slice(record);
            self.times.push(index_time);
        }
        self.past |= self.in_order && index_time >= self.taken.span.end;
    }
}
