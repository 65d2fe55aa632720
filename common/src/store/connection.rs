//! Opening the database: where it is, who may work on it, and whether its tables are current.

mod postgres;
mod sqlite;

use std::fs::File;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::StoreError;
use super::engine::Pools;
use super::statement::statement;
use crate::money::Usd;

/// Connections of a process that does not say how many it needs.
const CONNECTIONS: u32 = 8;
const APPLIED_VERSION: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

/// What a process wants of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Submit and work off chunks. On `SQLite` one process at a time, and missing tables are made; on
    /// `PostgreSQL` as many as want to.
    Work,
    /// Submit jobs and decide about them, while another process may work. On `SQLite` the file must
    /// exist, with current tables.
    Control,
    /// Look, while other processes may work.
    Read,
}

/// The database of an installation.
#[derive(Debug)]
pub struct Store {
    pub(super) pools: Pools,
    /// What may be spent in a calendar month in UTC.
    pub(super) budget: Option<Usd>,
    /// Held while the process lives. Whoever holds it knows that every earlier worker is dead.
    _work_lock: Option<File>,
}

impl Store {
    /// Opens the database. To read or to control, a file must exist: `None` when it does not.
    ///
    /// # Errors
    /// [`StoreError`] when the address is wrong, another process works on the file, or the tables
    /// are of another version.
    pub async fn open(url: &str, access: Access) -> Result<Option<Self>, StoreError> {
        Self::open_with(url, access, CONNECTIONS).await
    }

    /// Opens the database with at most so many connections at once, where the engine takes several.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        url: &str,
        access: Access,
        connections: u32,
    ) -> Result<Option<Self>, StoreError> {
        if is_postgres(url) {
            let pool = postgres::connect(url, connections).await?;
            postgres::check_version(&pool).await?;
            return Ok(Some(Self::over(Pools::Postgres(pool))));
        }
        let path = sqlite::path(url)?;
        match access {
            Access::Read | Access::Control if !path.exists() => Ok(None),
            Access::Read => {
                let read = sqlite::readers(&path).await?;
                sqlite::check_version(&read).await?;
                let write = read.clone();
                Ok(Some(Self::over(Pools::Sqlite { read, write })))
            }
            Access::Control => {
                let read = sqlite::readers(&path).await?;
                sqlite::check_version(&read).await?;
                let write = sqlite::writer(&path).await?;
                Ok(Some(Self::over(Pools::Sqlite { read, write })))
            }
            Access::Work => {
                let lock = sqlite::lock(&path)?;
                let write = sqlite::writer(&path).await?;
                sqlite::migrate(&write).await?;
                let read = sqlite::readers(&path).await?;
                let store = Self {
                    pools: Pools::Sqlite { read, write },
                    budget: None,
                    _work_lock: Some(lock),
                };
                store.release_orphans().await?;
                Ok(Some(store))
            }
        }
    }

    /// Makes the tables, or brings them up to date. Safe to repeat, and to run from several places at
    /// once.
    ///
    /// # Errors
    /// [`StoreError`] when the address is wrong, or the tables are of another version.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        if is_postgres(url) {
            let pool = postgres::connect(url, 1).await?;
            let migrated = postgres::migrate(&pool).await;
            pool.close().await;
            return migrated;
        }
        if let Some(store) = Self::open(url, Access::Work).await? {
            store.close().await;
        }
        Ok(())
    }

    /// Whether there is a database at the address.
    ///
    /// # Errors
    /// [`StoreError::Address`] when the address is wrong.
    pub fn exists(url: &str) -> Result<bool, StoreError> {
        Ok(is_postgres(url) || sqlite::path(url)?.exists())
    }

    /// A database in memory with current tables and nothing in them, to check mappings against.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be made.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await?;
        sqlite::migrate(&pool).await?;
        Ok(Self::over(Pools::Sqlite {
            read: pool.clone(),
            write: pool,
        }))
    }

    /// The version of TimescaleDB that keeps the market tables; `None` where they are plain ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn timescaledb(&self) -> Result<Option<String>, StoreError> {
        if matches!(self.pools, Pools::Sqlite { .. }) {
            return Ok(None);
        }
        statement("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
            .fetch_optional(self.pools.read())
            .await?
            .map(|row| row.at(0))
            .transpose()
    }

    fn over(pools: Pools) -> Self {
        Self {
            pools,
            budget: None,
            _work_lock: None,
        }
    }

    /// Closes the connections; what was committed is in the database.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

/// Whether the address is of a server, and so of an installation of many workers.
#[must_use]
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => StoreError::Version(
            "the database was made by another version of this program; use that version, or \
             another DATABASE_URL"
                .into(),
        ),
        other => StoreError::Migration(other),
    }
}

/// Whether the tables are those of this program, by the newest migration that was applied.
fn compare_version(applied: Option<i64>, migrations: &Migrator) -> Result<(), StoreError> {
    let current = migrations.iter().map(|migration| migration.version).max();
    if applied == current {
        return Ok(());
    }
    Err(StoreError::Version(match applied > current {
        true => "the database was made by a newer version of this program; use that version".into(),
        false => "the database has no current tables; run `scheduler migrate` first".into(),
    }))
}
