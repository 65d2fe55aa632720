//! Decode: an archived stream to blocks of records, in flat memory.

use std::io::Read;

use common::archive::{Manifest, Objects, StreamFacts};
use common::record_layout::RecordLayout;
use common::time::Nanos;
use dbn::{Metadata, Schema};

use crate::error::ChunkError;
use common::dbn_stream::{DbnStream, Sink};

/// Records of a block. Columns of so many rows stay in the processor's cache.
const BLOCK_RECORDS: usize = 2_048;
const READ_BYTES: usize = 256 * 1024;

/// Records of one schema, one after the other.
#[derive(Clone, Debug, Default)]
pub struct RecordBlock {
    /// The records' bytes, in the current version's layout.
    pub bytes: Vec<u8>,
    /// Each record's index time, in nanoseconds.
    pub index_times: Vec<i64>,
    /// The number of the first record in its stream, from 0.
    pub first_number: i64,
}

impl RecordBlock {
    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index_times.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index_times.is_empty()
    }

    /// The bytes of the record with this number in its stream; none when it isn't in the block.
    #[must_use]
    pub fn record(&self, number: i64, record_bytes: usize) -> &[u8] {
        let row = usize::try_from(number - self.first_number).unwrap_or(usize::MAX);
        let start = row.saturating_mul(record_bytes);
        let end = start.saturating_add(record_bytes);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The first half of the records and the second.
    #[must_use]
    pub fn halves(mut self, record_bytes: usize) -> (Self, Self) {
        let middle = self.len() / 2;
        let first = i64::try_from(middle).unwrap_or(i64::MAX);
        let second = Self {
            bytes: self.bytes.split_off(middle * record_bytes),
            index_times: self.index_times.split_off(middle),
            first_number: self.first_number.saturating_add(first),
        };
        (self, second)
    }
}

/// What a decoded stream consists of, in its order.
#[derive(Debug)]
pub enum Decoded {
    /// The header, once.
    Metadata(Box<Metadata>),
    /// Records.
    Records(RecordBlock),
}

/// Reads a stream to its end and hands on what is in it; `deliver` answers whether to go on.
///
/// # Errors
/// [`ChunkError`] when the stream is not whole, or can't be read.
pub fn decode(
    mut stream: impl Read,
    schema: Schema,
    deliver: impl FnMut(Decoded) -> bool,
) -> Result<StreamFacts, ChunkError> {
    let mut decoder = DbnStream::new(schema)?;
    let mut blocks = Blocks::new(schema, deliver);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = stream.read(&mut buffer).map_err(ChunkError::Archive)?;
        if read == 0 {
            break;
        }
        let pushed = decoder.push(&buffer[..read], &mut blocks);
        if blocks.stopped {
            return Err(ChunkError::Stopped);
        }
        pushed?;
    }
    let facts = decoder.finish()?;
    blocks.deliver_current();
    Ok(facts)
}

/// Reads an archived stream to its end, through all its parts, as [`decode`] does.
///
/// # Errors
/// [`ChunkError::Damaged`] when it is not what was archived, whatever else was met in it.
pub fn decode_archived(
    objects: &Objects,
    manifest: &Manifest,
    schema: Schema,
    deliver: impl FnMut(Decoded) -> bool,
) -> Result<StreamFacts, ChunkError> {
    let mut blocks = Blocks::new(schema, deliver);
    let facts = objects.read(manifest, schema, &mut blocks)?;
    blocks.deliver_current();
    Ok(facts)
}

/// Hands each block on as soon as it is full: one read can unpack to a thousand times its size.
struct Blocks<D> {
    block_bytes: usize,
    current: RecordBlock,
    deliver: D,
    stopped: bool,
}

impl<D: FnMut(Decoded) -> bool> Blocks<D> {
    fn new(schema: Schema, deliver: D) -> Self {
        Self {
            block_bytes: BLOCK_RECORDS * RecordLayout::of(schema).record_bytes,
            current: RecordBlock::default(),
            deliver,
            stopped: false,
        }
    }

    fn deliver(&mut self, decoded: Decoded) {
        self.stopped = self.stopped || !(self.deliver)(decoded);
    }

    fn deliver_current(&mut self) {
        if !self.current.index_times.is_empty() {
            let block = std::mem::take(&mut self.current);
            let records = i64::try_from(block.index_times.len()).unwrap_or(i64::MAX);
            self.current.first_number = block.first_number.saturating_add(records);
            self.deliver(Decoded::Records(block));
        }
    }
}

impl<D: FnMut(Decoded) -> bool> Sink for Blocks<D> {
    fn metadata(&mut self, metadata: Metadata) {
        self.deliver(Decoded::Metadata(Box::new(metadata)));
    }

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        if self.stopped {
            return;
        }
        let block = &mut self.current;
        if block.bytes.is_empty() {
            block.bytes.reserve(self.block_bytes);
            block.index_times.reserve(BLOCK_RECORDS);
        }
        block.bytes.extend_from_slice(record);
        block.index_times.push(index_time.0);
        if block.bytes.len() >= self.block_bytes {
            self.deliver_current();
        }
    }
    fn is_stopped(&self) -> bool {
        self.stopped
    }
}
