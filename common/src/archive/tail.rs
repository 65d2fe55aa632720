//! Tail: the kept records of a stream's last index time, one after the other, to be compared with
//! those that come again. Read by a thread of its own, for there can be a million of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use dbn::{Metadata, Schema};

use super::joined::{JoinError, read};
use super::manifest::Partial;
use super::storage::Storage;
use crate::dbn_stream::Sink;
use crate::record_layout::RecordLayout;
use crate::time::Nanos;

/// Records that are handed over at once.
const BLOCK_RECORDS: usize = 512;
const BLOCKS_AHEAD: usize = 2;

/// The records of the last index time.
#[derive(Debug)]
pub struct Tail {
    blocks: Receiver<Result<Vec<u8>, JoinError>>,
    block: Vec<u8>,
    at: usize,
    record_bytes: usize,
}

impl Tail {
    pub(super) fn open(storage: Arc<dyn Storage>, partial: &Partial, schema: Schema) -> Self {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        let from = partial.resumes_at();
        // Parts before the time have none of its records.
        let ends_before = |part: &&super::Part| part.last_index_time < Some(from);
        let before = partial.parts.iter().take_while(ends_before).count();
        let parts = partial.parts[before..].to_vec();
        let record_bytes = RecordLayout::of(schema).record_bytes;
        thread::spawn(move || {
            let mut sending = Sending {
                sender,
                from,
                block: Vec::new(),
                block_bytes: BLOCK_RECORDS * record_bytes,
                gone: false,
            };
            let read = read(&*storage, &parts, schema, false, &mut sending);
            sending.send();
            if let Err(error) = read {
                // Whoever is gone doesn't need it.
                let _gone = sending.sender.send(Err(error));
            }
        });
        Self {
            blocks,
            block: Vec::new(),
            at: 0,
            record_bytes,
        }
    }

    /// The next of the records; `None` after the last.
    ///
    /// # Errors
    /// [`JoinError`] when they can't be read.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, JoinError> {
        if self.at >= self.block.len() {
            self.at = 0;
            self.block = match self.blocks.recv() {
                Ok(block) => block?,
                Err(_ended) => return Ok(None),
            };
        }
        let record = self.at..self.at + self.record_bytes;
        self.at = record.end;
        Ok(self.block.get(record))
    }
}

struct Sending {
    sender: SyncSender<Result<Vec<u8>, JoinError>>,
    from: Nanos,
    block: Vec<u8>,
    block_bytes: usize,
    gone: bool,
}

impl Sending {
    fn send(&mut self) {
        if !self.block.is_empty() {
            let block = std::mem::take(&mut self.block);
            self.gone = self.gone || self.sender.send(Ok(block)).is_err();
        }
    }
}

impl Sink for Sending {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        if index_time < self.from || self.gone {
            return;
        }
        self.block.extend_from_slice(record);
        if self.block.len() >= self.block_bytes {
            self.send();
        }
    }

    fn is_stopped(&self) -> bool {
        self.gone
    }
}
