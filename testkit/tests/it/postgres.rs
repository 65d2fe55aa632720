//! A private `PostgreSQL` server keeps what was committed, whatever ends it, and shares nothing.

use std::io::Read;
use std::net::TcpStream;

use futures::future::join_all;
use sqlx::{Connection, PgConnection, Row};
use testkit::postgres::Postgres;

#[test]
fn what_was_committed_outlives_a_kill() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url();
    let _ = postgres.psql("CREATE TABLE kept (value int); INSERT INTO kept VALUES (1), (2);");
    postgres.kill();
    assert!(TcpStream::connect(postgres.address()).is_err());
    postgres.restart();
    assert_eq!(postgres.url(), url);
    assert_eq!(postgres.psql("SELECT sum(value) FROM kept;").trim(), "3");
    assert!(postgres.log().contains("was not properly shut down"));
}

#[tokio::test]
async fn a_kill_ends_every_session_and_what_was_not_committed() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let _ = postgres.psql("CREATE TABLE kept (value int);");
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
        sqlx::raw_sql("BEGIN; INSERT INTO kept VALUES (1);")
            .execute(&mut connection)
            .await
            .unwrap();
        open.push(connection);
    }
    postgres.kill();
    let pings = join_all(open.iter_mut().map(PgConnection::ping)).await;
    assert!(pings.iter().all(Result::is_err));
    postgres.restart();
    assert_eq!(postgres.psql("SELECT count(*) FROM kept;").trim(), "0");
}

#[test]
fn it_may_be_killed_many_times() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let _ = postgres.psql("CREATE TABLE kept (value int);");
    for _ in 0..5 {
        let _ = postgres.psql("INSERT INTO kept VALUES (1);");
        postgres.kill();
        postgres.kill();
        postgres.restart();
    }
    assert_eq!(postgres.psql("SELECT count(*) FROM kept;").trim(), "5");
}

#[test]
fn a_restart_needs_no_kill_before() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let _ = postgres.psql("CREATE TABLE kept AS SELECT 1 AS value;");
    postgres.restart();
    assert_eq!(postgres.psql("SELECT value FROM kept;").trim(), "1");
}

#[tokio::test]
async fn a_fresh_database_is_empty_and_private() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let _ = postgres.psql("CREATE TABLE first (value int);");
    let one = postgres.fresh_database();
    let two = postgres.fresh_database();
    assert_ne!(one, two);
    let _ = postgres.psql_at(&one, "CREATE TABLE own (value int);");
    for (url, expected) in [(&one, 1_i64), (&two, 0)] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let tables: i64 = sqlx::query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            .fetch_one(&mut connection)
            .await
            .unwrap()
            .get(0);
        assert_eq!(tables, expected);
    }
}

#[test]
fn a_setting_of_the_test_goes_before_the_usual_one() {
    let Some(postgres) = Postgres::start_with(&[("max_connections", "7")]) else {
        return;
    };
    assert_eq!(postgres.psql("SHOW max_connections;").trim(), "7");
    assert_eq!(postgres.psql("SHOW fsync;").trim(), "off");
}

#[test]
fn two_servers_of_one_test_are_two() {
    let (Some(one), Some(two)) = (Postgres::start(), Postgres::start()) else {
        return;
    };
    let _ = one.psql("CREATE TABLE own (value int);");
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public';";
    assert_eq!(two.psql(count).trim(), "0");
}

#[test]
fn it_is_gone_when_its_test_ends() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let address = postgres.address();
    let folder = postgres.psql("SHOW data_directory;");
    let mut connection = TcpStream::connect(address).unwrap();
    drop(postgres);
    let mut rest = Vec::new();
    // The server's end may show itself as a reset.
    let _ = connection.read_to_end(&mut rest);
    assert!(TcpStream::connect(address).is_err());
    assert!(!std::path::Path::new(folder.trim()).exists());
}
