//! The rows of a small chunk by one INSERT, out of the bytes that COPY takes.
//!
//! COPY is two round trips, and the second waits: the library leaves Nagle's algorithm on, so that the end
//! of the rows is sent when their last packet was acknowledged, and the server, who says nothing before
//! the end, acknowledges after 40 ms. A statement is one round trip. Its values are an array for each
//! column, whose elements are encoded as COPY's fields are.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{AssertSqlSafe, Encode, PgConnection, Postgres, Type};

use super::super::StoreError;
use super::super::copy::CopyColumn;
use super::super::rows::quoted_list;
use super::super::statement::answered;
use super::encode::EncodedRows;

/// One dimension, and there may be NULLs.
const HEAD: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// Elements are counted from it.
const FIRST: [u8; 4] = 1_i32.to_be_bytes();
const LENGTH_BYTES: usize = 4;
const COUNT_BYTES: usize = 2;

/// The INSERT of one table.
#[derive(Debug)]
pub(super) struct InsertFew {
    sql: String,
    /// Each column's type, by the number that the database has for it.
    types: Vec<u32>,
}

/// A column's values, as the database receives an array.
struct Array(Vec<u8>);

impl InsertFew {
    /// For a table by its name in SQL.
    pub(super) fn new(table: &str, columns: &[CopyColumn]) -> Self {
        let names = quoted_list(columns.iter().map(|column| &column.name));
        let arrays = columns.iter().zip(1..);
        let arrays = arrays.map(|(column, number)| format!("${number}::{}[]", column.sql_type));
        let arrays: Vec<_> = arrays.collect();
        Self {
            sql: format!(
                "INSERT INTO {table} ({names}) SELECT * FROM unnest({})",
                arrays.join(", ")
            ),
            types: columns
                .iter()
                .map(|column| number(column.sql_type))
                .collect(),
        }
    }

    /// Inserts rows; how many the database took.
    pub(super) async fn execute(
        &self,
        rows: &EncodedRows,
        connection: &mut PgConnection,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(AssertSqlSafe(self.sql.as_str()));
        let query = self
            .arrays(rows)
            .into_iter()
            .fold(query, |query, array| query.bind(array));
        let inserted = answered(query.execute(connection)).await?;
        Ok(inserted.rows_affected())
    }

    /// The columns of rows.
    fn arrays(&self, rows: &EncodedRows) -> Vec<Array> {
        let count = u32::try_from(rows.rows).expect("a block has fewer rows than 2^32");
        let begin =
            |of: &u32| [&HEAD[..], &of.to_be_bytes(), &count.to_be_bytes(), &FIRST].concat();
        let mut arrays: Vec<_> = self.types.iter().map(begin).map(Array).collect();
        let mut rest = rows.bytes.as_slice();
        while !rest.is_empty() {
            rest = &rest[COUNT_BYTES..];
            for array in &mut arrays {
                let (length, _) = rest.split_first_chunk().expect("a field has a length");
                // That of NULL is -1, and there are no bytes.
                let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
                let (field, others) = rest.split_at(LENGTH_BYTES + bytes);
                array.0.extend_from_slice(field);
                rest = others;
            }
        }
        arrays
    }
}

impl Type<Postgres> for Array {
    /// Of which type it is, the statement says.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
}

/// What the database calls a type of COPY's columns; the same in every installation.
fn number(sql_type: &str) -> u32 {
    match sql_type {
        "bigint" => 20,
        "smallint" => 21,
        "text" => 25,
        "timestamptz" => 1184,
        "numeric(20,9)" => 1700,
        other => unreachable!("no column is sent as {other}"),
    }
}
