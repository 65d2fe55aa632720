//! The proof of a job as its owner asks for it: every chunk's numbers, and each damage by its name.

use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::engine::Engine;
use testkit::on_every_engine;

use crate::installation::Installation;
use crate::quality::{JOB, assert_shows, json, stricter};

on_every_engine! {
    a_clean_job_is_proven_in_one_line_and_by_every_chunks_numbers
    damage_of_every_kind_is_named_with_its_numbers
    what_is_not_finished_is_not_proven
    a_slice_that_another_job_holds_is_no_gap
    work_that_goes_on_meanwhile_is_no_damage
}

/// A job of four chunks with records in the quarantine, worked off.
async fn worked_off(engine: &Engine) -> Installation {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    let config = installation.config("trades", stricter);
    installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    installation
}

/// The proof as JSON, and its findings as `chunk what`.
async fn findings(installation: &Installation) -> (Value, Vec<String>) {
    let said = installation
        .run(&["status", "quality", "--proof", "--json"])
        .await;
    let document = json(&said);
    let chunks = document["chunks"].as_array().unwrap().iter();
    let of_chunks = chunks.flat_map(|chunk| chunk["findings"].as_array().unwrap());
    let all = of_chunks.chain(document["strays"].as_array().unwrap());
    let named = all.map(|finding| {
        let what = finding["what"].as_str().unwrap();
        format!("{} {what}", finding["chunk"])
    });
    let named: Vec<_> = named.collect();
    assert_eq!(document["findings"], named.len());
    assert_eq!(document["proven"], named.is_empty());
    let code = if named.is_empty() { 0 } else { 3 };
    assert_eq!(said.code, Some(code), "{said:#?}");
    (document, named)
}

async fn a_clean_job_is_proven_in_one_line_and_by_every_chunks_numbers(engine: &Engine) {
    let installation = worked_off(engine).await;
    let said = installation.succeed(&["status", "1", "--proof"]).await;
    assert_shows(
        &said.stdout,
        &["quality (1) is proven: 4 chunks", "trades", "2024-01-04"],
    );
    assert!(!said.stdout.contains("help"), "{}", said.stdout);
    let (document, named) = findings(&installation).await;
    assert_eq!(named, [""; 0]);
    let (mut quarantined, sum) = (0, "SELECT count(*) FROM quarantine");
    for chunk in document["chunks"].as_array().unwrap() {
        let number = |name: &str| chunk[name].as_u64().unwrap();
        assert_eq!(number("vendor_count"), number("fetched"));
        assert_eq!(number("loaded"), number("table_rows"));
        assert!(number("loaded") > 0);
        quarantined += number("quarantined");
        let (key, digest) = (&chunk["archive_object"], &chunk["sha256"]);
        let object = installation.sandbox.path().join("archive");
        let object = std::fs::read(object.join(key.as_str().unwrap())).unwrap();
        assert_eq!(digest, &common::hex(&Sha256::digest(object)));
    }
    assert!(quarantined > 0);
    assert_eq!(installation.database.scalar::<u64>(sum).await, quarantined);
}

async fn damage_of_every_kind_is_named_with_its_numbers(engine: &Engine) {
    let installation = worked_off(engine).await;
    let kinds: [(&'static str, &[&str]); 10] = [
        // A row is lost; one is another chunk's, which then has one too many.
        (
            "DELETE FROM trades_data WHERE chunk_id = 1 AND row_number = (
                 SELECT max(row_number) FROM trades_data WHERE chunk_id = 1)",
            &["1 rows"],
        ),
        (
            "UPDATE tbbo_data SET chunk_id = 4 WHERE chunk_id = 3 AND row_number = (
                 SELECT min(row_number) FROM tbbo_data WHERE chunk_id = 3)",
            &["1 rows", "3 rows", "4 rows"],
        ),
        // A quarantined record is lost.
        (
            "DELETE FROM quarantine WHERE chunk_id = 2 AND record_number = (
                 SELECT min(record_number) FROM quarantine WHERE chunk_id = 2)",
            &["1 rows", "2 quarantine", "3 rows", "4 rows"],
        ),
        // A slice is lost, and a part of one.
        (
            "DELETE FROM coverage WHERE chunk_id = 1",
            &["1 rows", "1 slices", "2 quarantine", "3 rows", "4 rows"],
        ),
        (
            "UPDATE coverage SET end_ns = end_ns - 1 WHERE chunk_id = 3",
            &[
                "1 rows",
                "1 slices",
                "2 quarantine",
                "3 rows",
                "3 slices",
                "4 rows",
            ],
        ),
        // A digest is another.
        (
            "UPDATE archive_objects SET sha256 = 'no digest' WHERE key = (
                 SELECT archive_object FROM chunks WHERE id = 2)",
            &[
                "1 rows",
                "1 slices",
                "2 quarantine",
                "2 archive",
                "3 rows",
                "3 slices",
                "4 rows",
            ],
        ),
        // The ledger's own sums don't hold.
        (
            "UPDATE chunks SET expected_records = expected_records + 1 WHERE id = 4",
            &[
                "1 rows",
                "1 slices",
                "2 quarantine",
                "2 archive",
                "3 rows",
                "3 slices",
                "4 counts",
                "4 rows",
            ],
        ),
        (
            "UPDATE chunks SET covered_records = 7 WHERE id = 4",
            &[
                "1 rows",
                "1 slices",
                "2 quarantine",
                "2 archive",
                "3 rows",
                "3 slices",
                "4 counts",
                "4 counts",
                "4 rows",
            ],
        ),
        // The archived stream isn't named.
        (
            "UPDATE chunks SET archive_object = NULL WHERE id = 3",
            &[
                "1 rows",
                "1 slices",
                "2 quarantine",
                "2 archive",
                "3 rows",
                "3 archive",
                "3 slices",
                "4 counts",
                "4 counts",
                "4 rows",
            ],
        ),
        // Rows that are nobody's.
        (
            "UPDATE trades_data SET chunk_id = 99 WHERE chunk_id = 2",
            &[
                "1 rows",
                "1 slices",
                "2 rows",
                "2 quarantine",
                "2 archive",
                "3 rows",
                "3 archive",
                "3 slices",
                "4 counts",
                "4 counts",
                "4 rows",
                "99 rows",
            ],
        ),
    ];
    for (damage, wanted) in kinds {
        installation.execute(damage).await;
        let (_, named) = findings(&installation).await;
        assert_eq!(named, wanted, "{damage}");
    }
    let (document, _) = findings(&installation).await;
    let first = &document["chunks"][0];
    let (loaded, rows) = (&first["loaded"], &first["table_rows"]);
    assert_eq!(loaded.as_u64().unwrap(), rows.as_u64().unwrap() + 1);
    let said = installation.run(&["status", "quality", "--proof"]).await;
    assert_eq!(said.code, Some(3));
    assert_shows(
        &said.stdout,
        &[
            &format!("chunk 1: rows: expected {loaded} loaded, found {rows} rows in trades_data"),
            "chunk 2: archive: expected SHA-256 no digest, found SHA-256",
            "chunk 99: rows: expected no rows in trades_data: no chunk of this number",
            "nobody holds it",
            "86399999999999 of 86400000000000 nanoseconds held",
            "is not proven: 12 findings in 4 of 4 chunks",
            "help: something else changed the tables",
        ],
    );
}

async fn what_is_not_finished_is_not_proven(engine: &Engine) {
    let installation = worked_off(engine).await;
    for (damage, found) in [
        (
            "UPDATE chunks SET state = 'dead', error = 'no luck' WHERE id = 1",
            "dead: no luck",
        ),
        (
            "UPDATE chunks SET state = 'pending', epoch = epoch + 1 WHERE id = 1",
            "pending, due",
        ),
        (
            "UPDATE chunks SET state = 'running' WHERE id = 1",
            "found running",
        ),
    ] {
        installation.execute(damage).await;
        let (_, named) = findings(&installation).await;
        // Its rows are nobody's: no chunk is done that has them.
        assert_eq!(named, ["1 state", "1 quarantine", "1 rows"]);
        let said = installation.run(&["status", "1", "--proof", "--all"]).await;
        assert_shows(
            &said.stdout,
            &[found, "chunk 1: state: expected done or empty"],
        );
    }
    std::fs::remove_dir_all(installation.sandbox.path().join("archive")).unwrap();
    installation
        .execute("UPDATE chunks SET state = 'done' WHERE id = 1")
        .await;
    let (_, named) = findings(&installation).await;
    assert_eq!(named, ["1 archive", "2 archive", "3 archive", "4 archive"]);
}

async fn a_slice_that_another_job_holds_is_no_gap(engine: &Engine) {
    let installation = worked_off(engine).await;
    // The same contract by another name, over days of which the first job holds two.
    let other = JOB
        .replace("name: quality", "name: other")
        .replace("[trades, tbbo]", "[trades]")
        .replace("start: 2024-01-04", "start: 2024-01-03")
        .replace("[ES.c.0]", "[ES.FUT]")
        .replace("stype_in: continuous", "stype_in: parent")
        .replace("{days: 1}", "{days: 3}");
    let other = installation.job(&other);
    installation.succeed(&["run", &other]).await;
    let every = JOB
        .replace("name: quality", "name: every")
        .replace("[trades, tbbo]", "[trades]")
        .replace("end: 2024-01-06", "end: 2024-01-07")
        .replace("[ES.c.0]", "ALL_SYMBOLS")
        .replace("stype_in: continuous", "stype_in: raw_symbol")
        .replace("{days: 1}", "{days: 3}");
    let every = installation.job(&every);
    installation.succeed(&["run", &every]).await;
    for job in ["quality", "other", "every"] {
        let said = installation.succeed(&["status", job, "--proof"]).await;
        assert_shows(&said.stdout, &["is proven"]);
    }
}

async fn work_that_goes_on_meanwhile_is_no_damage(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = JOB.replace("end: 2024-01-06", "end: 2024-02-06");
    let mut run = installation.spawn(&["run", &installation.job(&job)]);
    let (mut proofs, mut unfinished) = (0, 0);
    while run.try_wait().unwrap().is_none() {
        if installation.data_requests().is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let (_, named) = findings(&installation).await;
        let is_state = |named: &String| named.ends_with(" state");
        assert!(named.iter().all(is_state), "{named:?}");
        proofs += 1;
        unfinished += named.len();
    }
    assert!(proofs > 0 && unfinished > 0, "{proofs}, {unfinished}");
    let (_, named) = findings(&installation).await;
    assert_eq!(named, [""; 0]);
}

#[tokio::test]
async fn a_proof_is_of_a_job_that_was_submitted() {
    let installation = Installation::synthetic().await;
    let said = installation.run(&["status", "--proof"]).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    let said = installation.run(&["status", "nothing", "--proof"]).await;
    assert_eq!(said.code, Some(2));
    assert_shows(&said.stderr, &["no job of this name or number"]);
}
