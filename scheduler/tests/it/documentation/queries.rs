//! SQL in documents: each query answers where the demo's records are, on either engine, or on the one
//! that the block names: ` ```sql postgres `.

use testkit::database::Database;
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;
use tokio::process::Command;

use super::complaint::{Complaint, assert_none};
use super::document::Documents;
use super::tree::Tree;

#[tokio::test]
async fn queries_answer_on_either_engine() {
    let documents = Documents::read(&Tree::read());
    let sandbox = Sandbox::new();
    let file = Database::File(sandbox.path().join("backhaul.db"));
    assert_none(&wrong_on(file, "sqlite", &sandbox, &documents).await);
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let on_server = Database::OnServer(postgres.url());
    assert_none(&wrong_on(on_server, "postgres", &sandbox, &documents).await);
}

/// The queries that fail in a database with the demo's records.
pub async fn wrong_on(
    database: Database,
    engine: &str,
    sandbox: &Sandbox,
    documents: &Documents,
) -> Vec<Complaint> {
    for command in [&["migrate"][..], &["demo", "--trades-per-day", "30"]] {
        let done = Command::new(env!("CARGO_BIN_EXE_scheduler"))
            .args(command)
            .args(["--database-url", &database.url()])
            .current_dir(sandbox.path())
            .env_clear()
            .output();
        let done = done.await.unwrap();
        assert!(done.status.success(), "{command:?}: {done:?}");
    }
    let database = std::sync::Arc::new(database);
    let mut complaints = Vec::new();
    for (path, parts) in documents.parts() {
        let is_for_it = |kind: &[&str]| kind.is_empty() || kind == [engine];
        let queries = parts
            .blocks
            .iter()
            .filter(|block| block.what.language() == "sql");
        for block in queries.filter(|block| is_for_it(&block.what.kind())) {
            let query = block.what.text.trim().trim_end_matches(';').to_owned();
            let database = std::sync::Arc::clone(&database);
            let asked = tokio::spawn(async move {
                let sql = format!("SELECT count(*) FROM (\n{query}\n) AS answer");
                database.scalar::<i64>(&sql).await
            });
            // The database panics with its words.
            if let Err(failed) = asked.await {
                let words = failed.into_panic().downcast::<String>().unwrap();
                let why = format!("this query fails on {engine}: {words}");
                complaints.push(Complaint::new(path, block.line, why));
            }
        }
    }
    complaints
}
