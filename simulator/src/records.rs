//! Records as bytes: their sizes, their index timestamps, and where streams of them come from.

pub(crate) mod chain;
pub(crate) mod merge;

use std::io;

use dbn::Schema;

use crate::clock::Nanos;

/// The length in bytes of a schema's records in DBN version 3; within a schema all are of one
/// length.
pub(crate) fn record_size(schema: Schema) -> usize {
    match schema {
        Schema::Trades => 48,
        Schema::Mbo
        | Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => 56,
        Schema::Mbp10 => 368,
        Schema::Definition => 520,
        Schema::Status => 40,
        Schema::Imbalance => 112,
        Schema::Mbp1
        | Schema::Tbbo
        | Schema::Statistics
        | Schema::Cmbp1
        | Schema::Tcbbo
        | Schema::Cbbo1S
        | Schema::Cbbo1M
        | Schema::Bbo1S
        | Schema::Bbo1M => 80,
    }
}

/// Where in a record the timestamp is by which ranges are cut and records sorted: `ts_recv`, or
/// `ts_event` for bars.
fn index_offset(schema: Schema) -> usize {
    match schema {
        Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => 8,
        Schema::Status | Schema::Definition | Schema::Imbalance | Schema::Statistics => 16,
        Schema::Mbo => 40,
        _ => 32,
    }
}

/// How the records of one schema lie in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: usize,
    index_offset: usize,
}

impl Layout {
    pub(crate) fn of(schema: Schema) -> Self {
        Self {
            size: record_size(schema),
            index_offset: index_offset(schema),
        }
    }

    /// The index timestamp of the record that `bytes` begin with.
    pub(crate) fn index_time(&self, bytes: &[u8]) -> Nanos {
        let field = bytes
            .get(self.index_offset..self.index_offset + 8)
            .and_then(|field| field.try_into().ok());
        Nanos(u64::from_le_bytes(field.expect("a whole record")))
    }
}

/// Records in index-time order, a block at a time.
pub(crate) trait Source: Send {
    /// Puts the next records into `block`, which must be empty: a few hundred at most, none when
    /// there are no more.
    ///
    /// # Errors
    /// A recorded file that can no longer be read.
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()>;
}

/// Records that a block should have at least, where there are more.
pub(crate) const BLOCK_RECORDS: usize = 256;

/// A source that has all its records ready.
pub(crate) struct Ready(pub(crate) Vec<u8>);

impl Source for Ready {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        block.append(&mut self.0);
        Ok(())
    }
}
