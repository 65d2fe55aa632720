//! `PostgreSQL`: a server that many processes work on.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};

use super::super::StoreError;
use super::{APPLIED_VERSION, compare_version, migration_error};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");
/// Makes the market tables hypertables where TimescaleDB is; safe to repeat.
const HYPERTABLES: &str = include_str!("../../../../migrations/postgres/timescale/hypertables.sql");

/// How long a server may take to answer at the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A table that isn't there, in the standard's words.
const UNDEFINED_TABLE: &str = "42P01";

/// What every connection says of itself, and how long it may hold things up: a worker that stands
/// still in the middle of a settlement must not keep its locks.
const SESSION: [(&str, &str); 7] = [
    ("application_name", "backhaul"),
    ("idle_in_transaction_session_timeout", "60s"),
    // Above the longest COPY, and the longest that a worker which was frozen in one holds up another.
    ("statement_timeout", "15min"),
    // A host that is gone without a word is noticed.
    ("tcp_user_timeout", "30s"),
    ("tcp_keepalives_idle", "10s"),
    ("tcp_keepalives_interval", "5s"),
    ("tcp_keepalives_count", "4"),
];

/// What a connection begins with, where the server can do it.
///
/// COPY and INSERT may write straight into TimescaleDB's columnstore. Not the mode that takes the client's
/// word for the order: loads overlap.
///
/// A client that was killed in the middle of a long statement is noticed, and the statement ended. Some
/// servers can't: the system that they run on doesn't tell them.
const WHERE_IT_CAN: &str = "
    SELECT set_config(name, 'on', false)
    FROM (VALUES
        ('timescaledb.enable_direct_compress_copy'),
        ('timescaledb.enable_direct_compress_insert')
    ) AS settings (name)
    WHERE current_setting(name, true) IS NOT NULL;
    DO $$ BEGIN
        PERFORM set_config('client_connection_check_interval', '1s', false);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END $$";

pub(super) async fn connect(url: &str, connections: u32) -> Result<PgPool, StoreError> {
    // Not the library's words: they may repeat a part of the address, and so of a password.
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        StoreError::Address(
            "DATABASE_URL is no address of a PostgreSQL server; write for example \
             postgres://user:password@host:5432/database"
                .into(),
        )
    })?;
    // The library logs a slow statement whole, kilobytes of it; how long work takes is told by what
    // does it.
    let options = options.options(SESSION).disable_statement_logging();
    // A pool would try for as long as it may wait for a connection.
    let reached = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await;
    let reached = reached.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    reached.map_err(StoreError::Unreachable)?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(WHERE_IT_CAN).execute(connection).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options);
    Ok(pool)
}

/// Applies what is missing, one process at a time: the library holds an advisory lock meanwhile, and
/// so does the change to hypertables.
pub(super) async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    MIGRATIONS.run(pool).await.map_err(migration_error)?;
    let alone = "SELECT pg_advisory_xact_lock(hashtextextended('backhaul hypertables', 0));";
    // Several statements sent at once are one transaction.
    sqlx::raw_sql(AssertSqlSafe(format!("{alone}\n{HYPERTABLES}")))
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn check_version(pool: &PgPool) -> Result<(), StoreError> {
    let applied: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar(APPLIED_VERSION).fetch_one(pool).await;
    match applied {
        Ok(version) => compare_version(version, &MIGRATIONS),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => {
            compare_version(None, &MIGRATIONS)
        }
        Err(error) => Err(error.into()),
    }
}
