//! Rows in `PostgreSQL`'s binary COPY format, a block at a time.
//!
//! What `COPY … FROM STDIN (FORMAT binary)` takes: a header, tuples, a trailer. A tuple is its number
//! of fields, then each field's length in bytes and its bytes, all big endian; the length of NULL is
//! -1. How a column of a mapping is sent:
//!
//! | type | sent as | undefined |
//! |---|---|---|
//! | integer | `bigint` | NULL |
//! | price | `numeric(20,9)`, exact | NULL |
//! | timestamp | `timestamptz` of whole microseconds, and `smallint` of the 0 to 999 ns above them | both NULL |
//! | char, text | `text` | NULL |

mod fields;

use self::fields::{BIGINT_BYTES, Cursor, Fields};
use super::rows::{LINEAGE, RowBlock};
use crate::chunk::ChunkId;
use crate::configuration::mapping::{ColumnType, Mapping};

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// A column as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyColumn {
    /// Its name.
    pub name: String,
    /// Its type, in `PostgreSQL`'s words.
    pub sql_type: &'static str,
}

/// Encodes the rows of one mapping; the store on `PostgreSQL` sends what it makes.
#[derive(Clone, Debug)]
pub struct CopyEncoder {
    types: Vec<ColumnType>,
    columns: Vec<CopyColumn>,
}

impl CopyEncoder {
    /// An encoder of a mapping's rows.
    #[must_use]
    pub fn new(mapping: &Mapping) -> Self {
        let mut columns = Vec::with_capacity(mapping.columns.len() + LINEAGE.len());
        let mut column = |name: String, sql_type| columns.push(CopyColumn { name, sql_type });
        for mapped in &mapping.columns {
            let name = mapped.name.clone();
            match mapped.column_type {
                ColumnType::Integer => column(name, "bigint"),
                ColumnType::Price => column(name, "numeric(20,9)"),
                ColumnType::Timestamp => {
                    let remainder = format!("{name}_ns");
                    column(name, "timestamptz");
                    column(remainder, "smallint");
                }
                ColumnType::Char | ColumnType::Text => column(name, "text"),
            }
        }
        for name in LINEAGE {
            column(name.to_owned(), "bigint");
        }
        let types = mapping.columns.iter().map(|column| column.column_type);
        Self {
            types: types.collect(),
            columns,
        }
    }

    /// The columns that are sent, in their order: the mapping's, then `chunk_id` and `row_number`.
    #[must_use]
    pub fn columns(&self) -> &[CopyColumn] {
        &self.columns
    }

    /// Appends what comes before the first row.
    pub fn begin(out: &mut Vec<u8>) {
        out.extend_from_slice(HEADER);
    }

    /// Appends a block's rows, as rows of a chunk.
    ///
    /// # Panics
    /// When the block has rows of another mapping, or its columns differ in length.
    pub fn encode(&self, block: &RowBlock, chunk: ChunkId, out: &mut Vec<u8>) {
        // Where no record could be kept, there are no columns either.
        if block.is_empty() {
            return;
        }
        assert_eq!(
            block.columns.len(),
            self.types.len(),
            "a block has the mapping's columns"
        );
        let columns = block.columns.iter().zip(&self.types);
        let fields: Vec<_> = columns
            .map(|(values, column_type)| Fields::of(*column_type, values))
            .collect();
        let count = i16::try_from(self.columns.len()).expect("a table has at most 1,600 columns");
        let count = count.to_be_bytes();
        // Every row finds room for the longest there can be; what they leave is given back.
        let values_bytes_max = fields.iter().map(Fields::bytes_max).sum::<usize>();
        let row_bytes_max = count.len() + values_bytes_max + 2 * BIGINT_BYTES;
        let start = out.len();
        out.resize(start + block.len() * row_bytes_max, 0);
        let mut cursor = Cursor::new(&mut out[start..]);
        for (row, number) in block.record_numbers.iter().enumerate() {
            cursor.put(&count);
            for values in &fields {
                values.encode(row, &mut cursor);
            }
            cursor.bigint(chunk.0);
            cursor.bigint(*number);
        }
        let end = start + cursor.written().len();
        out.truncate(end);
    }

    /// Appends what comes after the last row.
    pub fn end(out: &mut Vec<u8>) {
        out.extend_from_slice(&TRAILER);
    }
}
