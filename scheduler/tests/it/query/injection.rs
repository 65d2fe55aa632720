//! No text of a user's becomes SQL: attempts through every parameter change nothing, and are answered
//! as unknown or as bad input.

use futures::future::join_all;
use testkit::database::Database;
use testkit::engine::Engine;

use crate::installation::Installation;

/// What has opened databases elsewhere, by each of which some table would be changed, read or slept on.
const ATTEMPTS: [&str; 50] = [
    "'; DROP TABLE trades_data; --",
    "'; DROP TABLE trades_data CASCADE; --",
    "'; DELETE FROM coverage; --",
    "'; UPDATE chunks SET state = 'dead'; --",
    "'; INSERT INTO jobs DEFAULT VALUES; --",
    "'; TRUNCATE trades_data; --",
    "'; ALTER TABLE trades_data RENAME TO gone; --",
    "'; CREATE TABLE evil (a integer); --",
    "'; VACUUM; --",
    "'; ATTACH DATABASE 'evil.db' AS evil; --",
    "'; PRAGMA writable_schema = ON; --",
    "'; COMMIT; DROP TABLE jobs; --",
    "'; ROLLBACK; DROP TABLE jobs; --",
    "\"; DROP TABLE trades_data; --",
    "`; DROP TABLE trades_data; --",
    "); DROP TABLE trades_data; --",
    "')); DROP TABLE trades_data; --",
    "]; DROP TABLE trades_data; --",
    "; DROP TABLE trades_data;",
    "1; DROP TABLE trades_data",
    "1); DELETE FROM trades_data WHERE (1 = 1",
    "' OR '1' = '1",
    "' OR 1 = 1 --",
    "\" OR \"\" = \"",
    "1 OR 1 = 1",
    "') OR ('1' = '1",
    "x' OR instrument_id IS NOT NULL OR 'x' = '",
    "' UNION SELECT * FROM jobs --",
    "' UNION ALL SELECT sql FROM sqlite_schema --",
    "' UNION SELECT usename, passwd FROM pg_shadow --",
    "1 UNION SELECT 1",
    "' AND (SELECT count(*) FROM jobs) > 0 --",
    "'||(SELECT name FROM jobs LIMIT 1)||'",
    "$1",
    "$2; DROP TABLE trades_data",
    "?1",
    ":name",
    "@name",
    "%",
    "_",
    "%' OR symbol LIKE '%",
    "\\'; DROP TABLE trades_data; --",
    "\\",
    "/* */ DROP TABLE trades_data",
    "'/**/OR/**/1=1--",
    "'; SELECT pg_sleep(60); --",
    "'; COPY jobs TO PROGRAM 'touch evil'; --",
    "$$; DROP TABLE trades_data; $$",
    "E'\\x27; DROP TABLE trades_data; --'",
    "trades_data\"; DROP TABLE trades_data; --",
];

/// Flags that take a text: first those whose text reaches the database.
const FLAGS: [&str; 12] = [
    "--symbols",
    "--dataset",
    "--asset",
    "--exchange",
    "--schema",
    "--granularity",
    "--start-date",
    "--end-date",
    "--side",
    "--stat-type",
    "--min-size",
    "--limit",
];
const REACHING_THE_DATABASE: usize = 4;

/// All rows of all tables.
async fn everything(database: &Database) -> Vec<(String, Vec<String>)> {
    let names = match database {
        Database::File(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Database::OnServer(_) => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
        }
    };
    let mut all = Vec::new();
    for name in database.texts(names).await {
        // What the library notes of migrations has times that not every engine shows as text.
        if !name.starts_with('_') {
            let rows = database.rows(&name, &[]).await;
            all.push((name, rows));
        }
    }
    all
}

async fn attempts_change_nothing(engine: &Engine, flags: &[&str]) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(super::rolls::JOB);
    installation.succeed(&["run", &job]).await;
    let before = everything(&installation.database).await;
    assert!(before.len() > 20, "{}", before.len());
    for attempt in ATTEMPTS {
        let tried = flags.iter().map(async |flag: &&str| {
            let mut arguments = vec!["query", "--output-format", "csv"];
            for (name, usual) in [("--schema", "statistics"), ("--symbols", "ES.c.0")] {
                if name != *flag {
                    arguments.extend([name, usual]);
                }
            }
            let given = format!("{flag}={attempt}");
            arguments.push(&given);
            let said = installation.run(&arguments).await;
            assert_eq!(said.code, Some(2), "{given}: {said:#?}");
            assert_eq!(said.stdout, "", "{given}");
            assert!(said.stderr.starts_with("error: "), "{given}: {said:#?}");
        });
        join_all(tried).await;
    }
    // As one of several symbols it is unknown, and the rest is there.
    let beside = format!("ES.c.0,{}", ATTEMPTS[21]);
    let arguments = ["query", "--schema", "trades", "-s", &beside, "--limit", "1"];
    let said = installation.succeed(&arguments).await;
    assert!(said.stderr.contains("warning: no such symbol"), "{said:#?}");
    assert!(said.stdout.contains("ES.c.0"), "{said:#?}");
    assert_eq!(everything(&installation.database).await, before);
    for trace in ["evil", "evil.db"] {
        assert!(!installation.sandbox.path().join(trace).exists());
    }
}

#[tokio::test]
async fn fifty_attempts_through_every_parameter_change_nothing() {
    attempts_change_nothing(&Engine::Sqlite, &FLAGS).await;
}

#[tokio::test]
async fn fifty_attempts_through_every_parameter_change_nothing_on_postgresql() {
    if let Some(engine) = Engine::postgresql() {
        // What is refused before the database is asked is refused the same.
        attempts_change_nothing(&engine, &FLAGS[..REACHING_THE_DATABASE]).await;
    }
}
