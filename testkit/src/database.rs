//! An installation's database on either engine, past the store: what it holds as text, and changes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use crate::checksum::{self, TableSum};

/// Where the tables of an installation are.
#[derive(Debug)]
pub enum Database {
    /// `SQLite`, by its file.
    File(PathBuf),
    /// `PostgreSQL`, by its address.
    OnServer(String),
}

impl Database {
    /// Its address, as in `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite://{}", path.display()),
            Self::OnServer(url) => url.clone(),
        }
    }

    /// The market tables that hold rows, with coverage, symbology and quarantine. Sums of the same
    /// engine can be compared.
    ///
    /// # Panics
    /// When it can't be read.
    pub async fn tables(&self) -> BTreeMap<String, TableSum> {
        if let Self::File(path) = self {
            return checksum::tables(path).await;
        }
        let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND (
            tablename LIKE '%\\_data'
            OR tablename IN ('coverage', 'symbology', 'quarantine', 'rule_failures'))";
        let mut sums = BTreeMap::new();
        for name in self.texts(names).await {
            let rows = self.rows(&name, &["attempt", "quarantined_at"]).await;
            if rows.len() > 1 {
                sums.insert(name, sum(&rows));
            }
        }
        sums
    }

    /// All rows of a table or view as text, sorted, below the names of its columns; without these
    /// columns. Views show the same on every engine, and so do the control tables.
    ///
    /// # Panics
    /// When it can't be read.
    pub async fn rows(&self, relation: &str, without: &[&str]) -> Vec<String> {
        let names = match self {
            Self::File(_) => format!("SELECT name FROM pragma_table_info('{relation}')"),
            Self::OnServer(_) => format!(
                "SELECT column_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{relation}'
                 ORDER BY ordinal_position"
            ),
        };
        let mut names = self.texts(&names).await;
        names.retain(|name| !without.contains(&name.as_str()));
        let values: Vec<_> = names
            .iter()
            .map(|name| format!("coalesce(CAST(\"{name}\" AS TEXT), 'NULL')"))
            .collect();
        let sql = format!("SELECT {} FROM {relation}", values.join(" || ' | ' || "));
        let mut rows = self.texts(&sql).await;
        rows.sort();
        rows.insert(0, names.join(" | "));
        rows
    }

    /// The names of its views, in their order.
    ///
    /// # Panics
    /// When it can't be read.
    pub async fn views(&self) -> Vec<String> {
        let sql = match self {
            Self::File(_) => "SELECT name FROM sqlite_schema WHERE type = 'view'",
            Self::OnServer(_) => "SELECT viewname::text FROM pg_views WHERE schemaname = 'public'",
        };
        let mut names = self.texts(sql).await;
        names.sort();
        names
    }

    /// One number or text, read from its text: a sum of numbers is not of the same type everywhere.
    ///
    /// # Panics
    /// When the query fails, has no row, or finds something else.
    pub async fn scalar<T: FromStr<Err: Debug>>(&self, sql: &str) -> T {
        let found = self.texts(&format!("SELECT CAST(({sql}) AS TEXT)")).await;
        let text = found.first().expect("a query for one value has one row");
        text.parse()
            .unwrap_or_else(|error| panic!("{sql}: {text:?}: {error:?}"))
    }

    /// The rows of a query for one text.
    ///
    /// # Panics
    /// When the query fails, or finds something else.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let found = match self {
            Self::File(path) => {
                let mut connection = open(path).await;
                let query = sqlx::query_scalar(AssertSqlSafe(sql));
                let found = query.fetch_all(&mut connection).await;
                close(connection).await;
                found
            }
            Self::OnServer(url) => {
                let mut connection = reach(url).await;
                let query = sqlx::query_scalar(AssertSqlSafe(sql));
                let found = query.fetch_all(&mut connection).await;
                close(connection).await;
                found
            }
        };
        found.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// How a file's engine goes about a query, a step a line.
    ///
    /// # Panics
    /// When the query is none, or the database is a server's.
    pub async fn plan(&self, sql: &str) -> Vec<String> {
        let Self::File(path) = self else {
            panic!("a server is asked by EXPLAIN alone");
        };
        let mut connection = open(path).await;
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = sqlx::query(AssertSqlSafe(sql.as_str()))
            .fetch_all(&mut connection)
            .await;
        close(connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| row.get("detail")).collect()
    }

    /// Changes it behind the program's back, by several statements, whatever they leave without what
    /// they refer to.
    ///
    /// # Panics
    /// When one of them fails.
    pub async fn execute_all(&self, script: &str) {
        let done = match self {
            Self::File(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let connection = SqliteConnection::connect_with(&options.foreign_keys(false)).await;
                let mut connection = connection.expect("the database can be opened");
                let done = sqlx::raw_sql(AssertSqlSafe(script));
                let done = done.execute(&mut connection).await.map(drop);
                close(connection).await;
                done
            }
            Self::OnServer(url) => {
                let mut connection = reach(url).await;
                let done = sqlx::raw_sql(AssertSqlSafe(script));
                let done = done.execute(&mut connection).await.map(drop);
                close(connection).await;
                done
            }
        };
        done.unwrap_or_else(|error| panic!("{script}: {error}"));
    }

    /// A copy of it under a name of one's own, beside it. Nobody may be connected to it.
    ///
    /// # Panics
    /// When it can't be copied.
    pub async fn copy(&self, name: &str) -> Self {
        match self {
            Self::File(path) => {
                let copy = path.with_file_name(format!("{name}.db"));
                // What is not in the file yet is moved there first.
                self.execute_all("PRAGMA wal_checkpoint(TRUNCATE)").await;
                std::fs::copy(path, &copy).expect("the file can be copied");
                Self::File(copy)
            }
            Self::OnServer(url) => {
                let (server, database) = url.rsplit_once('/').expect("an address names a database");
                let other = Self::OnServer(format!("{server}/template1"));
                let script = format!("CREATE DATABASE {name} TEMPLATE {database}");
                other.execute_all(&script).await;
                Self::OnServer(format!("{server}/{name}"))
            }
        }
    }

    /// Changes it behind the program's back.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn execute(&self, sql: &'static str) {
        match self {
            Self::File(path) => checksum::execute(path, sql).await,
            Self::OnServer(url) => {
                let mut connection = reach(url).await;
                let done = sqlx::query(sql).execute(&mut connection).await;
                close(connection).await;
                done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
        }
    }
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let connection = SqliteConnection::connect_with(&options).await;
    connection.expect("the database can be opened")
}

async fn reach(url: &str) -> PgConnection {
    let connection = PgConnection::connect(url).await;
    connection.expect("the server can be reached")
}

async fn close(connection: impl Connection) {
    connection
        .close()
        .await
        .expect("the database still answers");
}

fn sum(rows: &[String]) -> TableSum {
    let (_names, rows) = rows.split_first().expect("the columns' names come first");
    let mut sum = Sha256::new();
    for row in rows {
        sum.update(row);
        sum.update(b"\n");
    }
    TableSum {
        rows: u64::try_from(rows.len()).expect("a number of rows fits"),
        sha256: common::hex(&sum.finalize()),
    }
}
