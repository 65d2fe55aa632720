//! `SQLite`: one file, one process that works on it, and readers beside it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::super::StoreError;
use super::{APPLIED_VERSION, compare_version, migration_error};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The file of an address such as `sqlite://data/backhaul.db`.
pub(super) fn path(url: &str) -> Result<PathBuf, StoreError> {
    // An error doesn't repeat the address: it may hold a password.
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"));
    match path {
        Some(path) if !path.is_empty() && !path.contains(['?', ':']) => Ok(path.into()),
        Some(_) => Err(StoreError::Address(
            "DATABASE_URL names no plain file; write for example sqlite://data/backhaul.db".into(),
        )),
        None => Err(StoreError::Address(
            "DATABASE_URL is no address of a database; write for example \
             sqlite://data/backhaul.db or postgres://user@host/database"
                .into(),
        )),
    }
}

pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let io = |error: std::io::Error| {
        StoreError::Address(format!("{} can't be written: {error}", path.display()))
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(PathBuf::from(name)).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(StoreError::InUse(path.display().to_string()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(io(error)),
    }
}

pub(super) async fn writer(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A settlement that was acknowledged survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60))
        .pragma("cache_size", "-32000")
        .statement_cache_capacity(64)
        // A slow statement would be logged whole, kilobytes of it.
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // A writer waits for the load before it; that takes as long as it takes.
        .acquire_timeout(Duration::from_secs(24 * 3600))
        .connect_with(options)
        .await?;
    Ok(pool)
}

pub(super) async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(60))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options)
        .await?;
    Ok(pool)
}

pub(super) async fn migrate(write: &SqlitePool) -> Result<(), StoreError> {
    MIGRATIONS.run(write).await.map_err(migration_error)
}

pub(super) async fn check_version(read: &SqlitePool) -> Result<(), StoreError> {
    let applied: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar(APPLIED_VERSION).fetch_one(read).await;
    match applied {
        Ok(version) => compare_version(version, &MIGRATIONS),
        Err(error) if error.to_string().contains("no such table") => {
            compare_version(None, &MIGRATIONS)
        }
        Err(error) => Err(error.into()),
    }
}
