//! What a market table is: a real table, and what its columns hold.

use super::engine::Pools;
use super::statement::{Target, statement};
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
                // Binary COPY takes no other numbers than these.
                "BIGINT" => &[Integer],
                "NUMERIC" => &[Price],
                "TIMESTAMP WITH TIME ZONE, SMALLINT" => &[Timestamp],
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
        let found = statement(match self.pools {
            Pools::Sqlite { .. } => {
                "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = $1"
            }
            Pools::Postgres(_) => {
                "SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END AS type FROM pg_class
                 WHERE relkind IN ('r', 'p', 'v') AND oid = to_regclass(quote_ident($1))"
            }
        });
        let found = found.bind(name).fetch_optional(self.pools.read()).await?;
        let found: Option<String> = found.map(|row| row.get("type")).transpose()?;
        Ok(Table {
            name: name.to_owned(),
            columns: match found.as_deref() {
                Some("table") => self.table_columns(name).await?,
                _ => Vec::new(),
            },
            is_view: found.as_deref() == Some("view"),
            market_tables: self.market_tables().await?,
        })
    }

    pub(super) async fn market_tables(&self) -> Result<Vec<String>, StoreError> {
        let tables = statement(match self.pools {
            Pools::Sqlite { .. } => {
                "SELECT l.name FROM pragma_table_list AS l
                 WHERE l.schema = 'main' AND l.type = 'table'
                     AND EXISTS (SELECT 1 FROM pragma_table_info(l.name) WHERE name = 'row_number')
                 ORDER BY l.name"
            }
            Pools::Postgres(_) => {
                "SELECT c.relname::text AS name
                 FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
                 WHERE a.attname = 'row_number' AND NOT a.attisdropped
                     AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
                 ORDER BY 1"
            }
        });
        let rows = tables.fetch_all(self.pools.read()).await?;
        rows.iter().map(|row| row.get("name")).collect()
    }

    pub(super) async fn table_columns(&self, table: &str) -> Result<Vec<TableColumn>, StoreError> {
        let columns = statement(match self.pools {
            Pools::Sqlite { .. } => {
                "SELECT i.name, i.type, i.\"notnull\" = 1 AS required, k.kind
                 FROM pragma_table_info($1) AS i
                 LEFT JOIN column_kinds AS k ON k.table_name = $1 AND k.column_name = i.name
                 ORDER BY i.cid"
            }
            Pools::Postgres(_) => {
                // A time and the nanoseconds beside it are one column of a mapping.
                "WITH a AS (
                     SELECT *, format_type(atttypid, NULL) AS type FROM pg_attribute
                     WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0
                         AND NOT attisdropped)
                 SELECT a.attname::text AS name, a.attnotnull AS required, k.kind,
                     CASE WHEN EXISTS (
                         SELECT FROM a AS ns
                         WHERE ns.attname = a.attname || '_ns' AND ns.type = 'smallint')
                     THEN a.type || ', smallint' ELSE a.type END AS type
                 FROM a LEFT JOIN column_kinds AS k
                     ON k.table_name = $1 AND k.column_name = a.attname
                 WHERE NOT (a.type = 'smallint' AND EXISTS (
                     SELECT FROM a AS time
                     WHERE a.attname = time.attname || '_ns' AND time.type LIKE 'timestamp%'))
                 ORDER BY a.attnum"
            }
        });
        let rows = columns.bind(table).fetch_all(self.pools.read()).await?;
        rows.iter()
            .map(|row| {
                let kind: Option<String> = row.get("kind")?;
                let known = |kind: String| {
                    ColumnType::named(&kind)
                        .ok_or_else(|| StoreError::Unreadable(format!("a column of kind {kind:?}")))
                };
                Ok(TableColumn {
                    name: row.get("name")?,
                    sql_type: row.get("type")?,
                    column_type: kind.map(known).transpose()?,
                    not_null: row.get("required")?,
                })
            })
            .collect()
    }
}

/// The names of a table's or view's columns, in their order; of a temporary one's too.
pub(super) async fn column_names(
    on: impl Into<Target<'_>>,
    table: &str,
) -> Result<Vec<String>, StoreError> {
    let on = on.into();
    let names = statement(match on {
        Target::SqlitePool(_) | Target::Sqlite(_) => {
            "SELECT name FROM pragma_table_info($1) ORDER BY cid"
        }
        Target::PostgresPool(_) | Target::Postgres(_) => {
            "SELECT attname::text AS name FROM pg_attribute
             WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped
             ORDER BY attnum"
        }
    });
    let rows = names.bind(table).fetch_all(on).await?;
    rows.iter().map(|row| row.get("name")).collect()
}
