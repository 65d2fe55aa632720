//! A database that can't be asked is one clear line, and no report.

use testkit::engine::Engine;
use testkit::postgres::Postgres;

use crate::installation::{Installation, Said, said};
use crate::quality::assert_shows;

/// Verifies a database that can't be asked.
async fn unable(installation: &Installation, url: &str) -> Said {
    let mut command = installation.command(&["verify", "--report-only"]);
    let said = said(command.env("DATABASE_URL", url).output().await.unwrap());
    assert_eq!(said.stdout, "", "{said:#?}");
    assert_eq!(said.stderr.matches("error: ").count(), 1, "{said:#?}");
    assert!(!said.stderr.contains("secret"), "{said:#?}");
    assert!(!installation.sandbox.path().join("verify").exists());
    said
}

#[tokio::test]
async fn where_nothing_was_ever_done_availability_fails_and_says_what_to_load() {
    let installation = Installation::synthetic().await;
    let said = installation.run(&["verify"]).await;
    assert_eq!(said.code, Some(4), "{said:#?}");
    let wanted = [
        "nothing was asked for yet",
        "scheduler demo",
        "scheduler run JOB",
    ];
    assert_shows(&said.stdout, &wanted);
    let said = installation
        .run(&["verify", "--report-only", "--json"])
        .await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    let document: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["checks"][0]["verdict"], "missed");
    assert_eq!(document["checks"][1]["verdict"], "not_checked");
    let of_a_job = installation.run(&["verify", "es"]).await;
    assert_eq!(of_a_job.code, Some(2), "{of_a_job:#?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let installation = Installation::synthetic().await;
    let url = installation.database.url();
    installation
        .sandbox
        .write("backhaul.db", &"no database ".repeat(1_000));
    let broken = unable(&installation, &url).await;
    assert_eq!(broken.code, Some(2));
    assert_shows(&broken.stderr, &["no SQLite database"]);
    installation.sandbox.write("backhaul.db", "");
    let empty = unable(&installation, &url).await;
    assert_eq!(empty.code, Some(2));
    assert_shows(&empty.stderr, &["run `scheduler migrate` first"]);
}

#[tokio::test]
async fn a_file_that_is_damaged_within_is_one_line() {
    let installation = super::loaded(&Engine::Sqlite).await;
    let path = installation.sandbox.database();
    installation
        .database
        .execute_all("PRAGMA wal_checkpoint(TRUNCATE)")
        .await;
    let bytes = std::fs::read(&path).unwrap();
    // Pages are lost, as by a disk that was full: what is in the rest can be read.
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let said = installation.run(&["verify", "--json"]).await;
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.stdout, "", "{said:#?}");
    assert_eq!(said.stderr.matches("error: ").count(), 1, "{said:#?}");
    assert_shows(&said.stderr, &["malformed"]);
}

#[tokio::test]
async fn a_server_that_is_down_or_has_no_tables_is_refused() {
    let installation = Installation::synthetic().await;
    let down = unable(
        &installation,
        "postgres://somebody:secret@127.0.0.1:1/backhaul",
    )
    .await;
    assert_eq!(down.code, Some(1));
    assert_shows(&down.stderr, &["can't be reached"]);
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.url();
    let no_tables = unable(&installation, &url).await;
    assert_eq!(no_tables.code, Some(2));
    assert_shows(&no_tables.stderr, &["run `scheduler migrate` first"]);
    let nobody = format!("postgres://nobody:secret@{}/postgres", server.address());
    let refused = unable(&installation, &nobody).await;
    assert_eq!(refused.code, Some(1));
    assert_shows(&refused.stderr, &["can't be reached"]);
}
