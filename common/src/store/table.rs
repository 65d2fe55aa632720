//! What a market table is: a real table, and what its columns hold.

use sqlx::Row;

use super::{Store, StoreError};
use crate::configuration::mapping::ColumnType;

/// What a table's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name.
    pub name: String,
    /// Its columns; none when there is no such table.
    pub columns: Vec<TableColumn>,
    /// Whether it is a view, which is for reading.
    pub is_view: bool,
    /// The names of all market tables.
    pub market_tables: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the database's words.
    pub sql_type: String,
    /// What it holds, where `column_kinds` says so; else it is one of the user's own.
    pub column_type: Option<ColumnType>,
    /// Whether every row must have a value.
    pub not_null: bool,
}

impl TableColumn {
    /// The types of columns that may fill it.
    #[must_use]
    pub fn takes(&self) -> &'static [ColumnType] {
        use ColumnType::{Char, Integer, Price, Text, Timestamp};
        match self.column_type {
            Some(Integer) => &[Integer],
            Some(Price) => &[Price],
            Some(Timestamp) => &[Timestamp],
            Some(Char) => &[Char],
            Some(Text) => &[Text, Char],
            None => match self.sql_type.to_ascii_uppercase().as_str() {
                "INTEGER" | "INT" => &[Integer, Price, Timestamp],
                "TEXT" => &[Text, Char],
                _ => &[],
            },
        }
    }
}

impl Store {
    /// What is known of a table.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn table(&self, name: &str) -> Result<Table, StoreError> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?",
        )
        .bind(name)
        .fetch_optional(&self.read)
        .await?;
        let market_tables = sqlx::query_scalar(
            "SELECT l.name FROM pragma_table_list AS l
             WHERE l.schema = 'main' AND l.type = 'table'
                 AND EXISTS (SELECT 1 FROM pragma_table_info(l.name) WHERE name = 'row_number')
             ORDER BY l.name",
        );
        Ok(Table {
            name: name.to_owned(),
            columns: match found.as_deref() {
                Some("table") => self.table_columns(name).await?,
                _ => Vec::new(),
            },
            is_view: found.as_deref() == Some("view"),
            market_tables: market_tables.fetch_all(&self.read).await?,
        })
    }

    async fn table_columns(&self, table: &str) -> Result<Vec<TableColumn>, StoreError> {
        let rows = sqlx::query(
            "SELECT i.name, i.type, i.\"notnull\", k.kind
             FROM pragma_table_info(?1) AS i
             LEFT JOIN column_kinds AS k ON k.table_name = ?1 AND k.column_name = i.name
             ORDER BY i.cid",
        )
        .bind(table)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let kind: Option<String> = row.try_get("kind")?;
                let known = |kind: String| {
                    ColumnType::named(&kind)
                        .ok_or_else(|| StoreError::Unreadable(format!("a column of kind {kind:?}")))
                };
                Ok(TableColumn {
                    name: row.try_get("name")?,
                    sql_type: row.try_get("type")?,
                    column_type: kind.map(known).transpose()?,
                    not_null: row.try_get("notnull")?,
                })
            })
            .collect()
    }
}
