//! A database with TimescaleDB, where somebody names a server that has it.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The variable that names the server, as a user who may create databases.
const SERVER: &str = "TIMESCALE_TEST_URL";

/// A new, empty database on the server that `TIMESCALE_TEST_URL` names, with the extension; `None`
/// with a printed line where none is named: no package of the usual distributions has it.
///
/// # Panics
/// When the server that is named can't be used.
pub async fn fresh_database() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "no setting of the program: it says where tests find what they can't install"
    )]
    let Ok(server) = std::env::var(SERVER) else {
        println!("skipped: {SERVER} names no server with TimescaleDB");
        return None;
    };
    let mut connection = PgConnection::connect(&server)
        .await
        .expect("the server with TimescaleDB answers");
    let number = tempfile::tempdir().expect("a temporary folder can be made");
    let number = number.path().file_name().unwrap_or_default();
    // The name of a temporary folder is one that nobody else has at the moment.
    let name = format!("test_{}", number.to_string_lossy().replace('.', "_"));
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
        .execute(&mut connection)
        .await
        .expect("a database can be made");
    let (base, query) = server.split_once('?').unwrap_or((&server, ""));
    let (base, _) = base.rsplit_once('/').expect("the address names a database");
    let url = format!("{base}/{name}?{query}");
    let mut connection = PgConnection::connect(&url)
        .await
        .expect("the new database answers");
    sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
        .execute(&mut connection)
        .await
        .expect("the extension can be made");
    Some(url)
}
