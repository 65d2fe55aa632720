//! Opening the database: where it is, who may work on it, and whether its tables are current.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// What a process wants of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Submit and work off chunks. One process at a time; missing tables are made.
    Work,
    /// Look, while another process may work.
    Read,
}

/// The database of an installation.
#[derive(Debug)]
pub struct Store {
    /// Readers see the last commit and never wait.
    pub(super) read: SqlitePool,
    /// One connection: `SQLite` has one writer, and waiting for it in our own queue is fair.
    pub(super) write: SqlitePool,
    /// Held while the process lives. Whoever holds it knows that every earlier worker is dead.
    _work_lock: Option<File>,
}

impl Store {
    /// Opens the database. To read, it must exist: `None` when it does not.
    ///
    /// # Errors
    /// [`StoreError`] when the address is wrong, another process works on it, or the tables are of
    /// another version.
    pub async fn open(url: &str, access: Access) -> Result<Option<Self>, StoreError> {
        let path = sqlite_path(url)?;
        match access {
            Access::Read if !path.exists() => Ok(None),
            Access::Read => {
                let read = readers(&path).await?;
                check_version(&read).await?;
                Ok(Some(Self {
                    write: read.clone(),
                    read,
                    _work_lock: None,
                }))
            }
            Access::Work => {
                let lock = lock(&path)?;
                let write = writer(&path).await?;
                migrate(&write).await?;
                let store = Self {
                    read: readers(&path).await?,
                    write,
                    _work_lock: Some(lock),
                };
                store.release_orphans().await?;
                Ok(Some(store))
            }
        }
    }

    /// Whether there is a database at the address.
    ///
    /// # Errors
    /// [`StoreError::Address`] when the address is wrong.
    pub fn exists(url: &str) -> Result<bool, StoreError> {
        Ok(sqlite_path(url)?.exists())
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
        migrate(&pool).await?;
        Ok(Self {
            read: pool.clone(),
            write: pool,
            _work_lock: None,
        })
    }

    /// Closes the connections; what was committed is in the database's one file.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// The file of an address such as `sqlite://data/backhaul.db`.
fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    // Not the address itself: it may hold a password.
    let scheme = url.split(':').next().unwrap_or_default();
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"));
    match path {
        Some(path) if !path.is_empty() && !path.contains(['?', ':']) => Ok(path.into()),
        Some(_) => Err(StoreError::Address(
            "DATABASE_URL names no plain file; write for example sqlite://data/backhaul.db".into(),
        )),
        None if scheme.starts_with("postgres") => Err(StoreError::Address(
            "DATABASE_URL names PostgreSQL, and this version stores in SQLite alone; \
             write for example sqlite://data/backhaul.db"
                .into(),
        )),
        None => Err(StoreError::Address(
            "DATABASE_URL is no address of a database; write for example sqlite://data/backhaul.db"
                .into(),
        )),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
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

async fn writer(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A settlement that was acknowledged survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60))
        .pragma("cache_size", "-32000")
        .statement_cache_capacity(64);
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

async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(60));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options)
        .await?;
    Ok(pool)
}

async fn migrate(write: &SqlitePool) -> Result<(), StoreError> {
    use sqlx::migrate::MigrateError;
    MIGRATIONS.run(write).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => StoreError::Version(
            "the database was made by another version of this program; use that version, or \
             another DATABASE_URL"
                .into(),
        ),
        other => StoreError::Migration(other),
    })
}

async fn check_version(read: &SqlitePool) -> Result<(), StoreError> {
    let applied: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(read)
            .await;
    let current = MIGRATIONS.iter().map(|migration| migration.version).max();
    match applied {
        Ok(version) if version == current => Ok(()),
        Ok(version) if version > current => Err(StoreError::Version(
            "the database was made by a newer version of this program; use that version".into(),
        )),
        Err(error) if !error.to_string().contains("no such table") => Err(error.into()),
        _ => Err(StoreError::Version(
            "the database has no current tables; run `scheduler migrate` first".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_without_repeating_it() {
        let error = sqlite_path("postgres://me:secret@host/db").unwrap_err();
        assert!(error.to_string().contains("PostgreSQL"));
        assert!(!error.to_string().contains("secret"));
    }
}
