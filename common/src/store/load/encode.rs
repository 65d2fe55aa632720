//! Rows encoded for `PostgreSQL` on the thread that prepares them: an async thread only sends them.

use super::super::copy::{CopyColumn, CopyEncoder};
use super::super::engine::Pools;
use super::super::rows::RowBlock;
use super::super::{Chunk, Store};
use crate::as_u64;
use crate::chunk::ChunkId;
use crate::configuration::mapping::Mapping;

/// Encodes the rows of one chunk.
#[derive(Clone, Debug)]
pub struct RowEncoder {
    encoder: CopyEncoder,
    chunk: ChunkId,
}

/// Rows as the database takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedRows {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
}

impl Store {
    /// What encodes a chunk's rows ahead of [`super::Load::insert_encoded`]; `None` where rows are
    /// inserted as they are.
    #[must_use]
    pub fn encoder(&self, mapping: &Mapping, chunk: &Chunk) -> Option<RowEncoder> {
        match self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(_) => Some(RowEncoder::new(mapping, chunk.id)),
        }
    }
}

impl EncodedRows {
    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.rows
    }
}

impl RowEncoder {
    pub(super) fn new(mapping: &Mapping, chunk: ChunkId) -> Self {
        Self {
            encoder: CopyEncoder::new(mapping),
            chunk,
        }
    }

    /// A block's rows, encoded.
    #[must_use]
    pub fn encode(&self, block: &RowBlock) -> EncodedRows {
        let mut bytes = Vec::new();
        self.encoder.encode(block, self.chunk, &mut bytes);
        EncodedRows {
            bytes,
            rows: as_u64(block.len()),
        }
    }

    pub(super) fn columns(&self) -> &[CopyColumn] {
        self.encoder.columns()
    }
}
