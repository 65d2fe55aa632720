//! Decode: an archived stream to blocks of records, in flat memory.

use std::io::Read;

use common::archive::StreamFacts;
use common::record_layout::RecordLayout;
use common::time::Nanos;
use dbn::{Metadata, Schema};

use crate::dbn_stream::{DbnStream, Sink};
use crate::error::ChunkError;

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
    mut deliver: impl FnMut(Decoded) -> bool,
) -> Result<StreamFacts, ChunkError> {
    let mut decoder = DbnStream::new(schema)?;
    let mut blocks = Blocks::new(schema);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = stream.read(&mut buffer).map_err(ChunkError::Archive)?;
        if read == 0 {
            break;
        }
        decoder.push(&buffer[..read], &mut blocks)?;
        for decoded in blocks.ready.drain(..) {
            if !deliver(decoded) {
                return Err(ChunkError::Stopped);
            }
        }
    }
    let facts = decoder.finish()?;
    if !blocks.current.index_times.is_empty() {
        deliver(Decoded::Records(blocks.current));
    }
    Ok(facts)
}

struct Blocks {
    block_bytes: usize,
    current: RecordBlock,
    ready: Vec<Decoded>,
}

impl Blocks {
    fn new(schema: Schema) -> Self {
        Self {
            block_bytes: BLOCK_RECORDS * RecordLayout::of(schema).record_bytes,
            current: RecordBlock::default(),
            ready: Vec::new(),
        }
    }
}

impl Sink for Blocks {
    fn metadata(&mut self, metadata: Metadata) {
        self.ready.push(Decoded::Metadata(Box::new(metadata)));
    }

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        let block = &mut self.current;
        if block.bytes.is_empty() {
            block.bytes.reserve(self.block_bytes);
            block.index_times.reserve(BLOCK_RECORDS);
        }
        block.bytes.extend_from_slice(record);
        block.index_times.push(index_time.0);
        if block.bytes.len() >= self.block_bytes {
            let full = std::mem::take(block);
            self.ready.push(Decoded::Records(full));
        }
    }
}
