//! The archive read again: each damage by its name, repaired for its price and no more.

use std::path::PathBuf;

use serde_json::Value;
use simulator::{Fault, FaultKind};

use crate::installation::{Installation, Said};
use crate::quality::{JOB, assert_shows, json};

async fn worked_off() -> Installation {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    installation
}

async fn keys(installation: &Installation) -> Vec<String> {
    let sql = "SELECT archive_object FROM chunks ORDER BY id";
    installation.database.texts(sql).await
}

fn path(installation: &Installation, key: &str) -> PathBuf {
    installation.sandbox.path().join("archive").join(key)
}

async fn verified(installation: &Installation, more: &[&str]) -> (Said, Value) {
    let arguments = [&["archive", "verify", "--json"][..], more].concat();
    let said = installation.run(&arguments).await;
    let document = json(&said);
    (said, document)
}

fn flip(path: &PathBuf) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn what_is_damaged_missing_or_unknown_is_named() {
    let installation = worked_off().await;
    let (said, document) = verified(&installation, &[]).await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(document["streams"], 4);
    let keys = keys(&installation).await;
    flip(&path(&installation, &keys[0]));
    let second = path(&installation, &keys[1]);
    let bytes = std::fs::read(&second).unwrap();
    std::fs::write(&second, &bytes[..bytes.len() - 1]).unwrap();
    std::fs::remove_file(path(&installation, &keys[2])).unwrap();
    std::fs::remove_file(path(&installation, &format!("{}.json", keys[3]))).unwrap();
    std::fs::write(path(&installation, "GLBX.MDP3/note.txt"), "hello").unwrap();
    let unnamed = keys[0].replace(".dbn.zst", ".17-0123456789ab.dbn.zst");
    std::fs::write(path(&installation, &unnamed), "a part").unwrap();
    let requests = installation.simulator.requests().len();

    let (said, document) = verified(&installation, &[]).await;

    assert_eq!(said.code, Some(3), "{said:#?}");
    let damaged = document["damaged"].as_array().unwrap();
    assert_eq!(damaged.len(), 4, "{document}");
    let flaw = |key: &str| {
        let found = damaged.iter().find(|entry| entry["key"] == key);
        found.unwrap()["flaw"].as_str().unwrap().to_owned()
    };
    assert_shows(&flaw(&keys[0]), &["not those that were archived"]);
    assert_shows(&flaw(&keys[1]), &["not those that were archived"]);
    assert_shows(&flaw(&keys[2]), &["missing"]);
    assert_shows(&flaw(&keys[3]), &["manifest is missing"]);
    let unknown = document["unknown"].as_array().unwrap();
    assert_eq!(unknown.len(), 2, "{document}");
    assert!(unknown.contains(&Value::from("GLBX.MDP3/note.txt")));
    assert!(unknown.contains(&Value::from(unnamed)));
    assert_eq!(installation.simulator.requests().len(), requests);
    let said = installation.run(&["archive", "verify", "quality"]).await;
    assert_shows(&said.stdout, &["4 damaged or missing", "--repair shows"]);
}

#[tokio::test]
async fn a_repair_is_priced_first_and_costs_exactly_what_is_damaged() {
    let installation = worked_off().await;
    let tables = installation.tables().await;
    let keys = keys(&installation).await;
    flip(&path(&installation, &keys[0]));
    std::fs::remove_file(path(&installation, &keys[3])).unwrap();
    let requests = installation.data_requests().len();
    let spent = installation.status().await["bytes_received"]
        .as_u64()
        .unwrap();

    let (said, document) = verified(&installation, &["--repair"]).await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_ne!(document["cost_usd"], "0.00");
    assert_eq!(installation.data_requests().len(), requests);

    let (said, document) = verified(&installation, &["--repair", "--yes"]).await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    for entry in document["damaged"].as_array().unwrap() {
        assert_eq!(entry["outcome"], "replaced");
    }
    let paid: Vec<_> = installation.data_requests().split_off(requests);
    assert_eq!(paid.len(), 2);
    let sum = "SELECT sum(billable_bytes) FROM chunks WHERE id IN (1, 4)";
    let billed: u64 = installation.database.scalar(sum).await;
    let received = installation.status().await["bytes_received"]
        .as_u64()
        .unwrap();
    assert_eq!(received - spent, billed);

    let (said, document) = verified(&installation, &[]).await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(document["streams"], 4);
    assert_eq!(document["unknown"], Value::Array(Vec::new()));
    installation
        .succeed(&["status", "quality", "--proof"])
        .await;
    assert_eq!(installation.tables().await, tables);
}

#[tokio::test]
async fn what_the_vendor_changed_since_is_kept_for_a_refresh_which_pays_nothing_more() {
    let installation = worked_off().await;
    let tables = installation.tables().await;
    let keys = keys(&installation).await;
    flip(&path(&installation, &keys[0]));
    installation.fault(Fault::day(FaultKind::RevisedDay, "2024-01-04"));
    let said = installation
        .run(&["archive", "verify", "--repair", "--yes"])
        .await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_shows(&said.stdout, &["scheduler refresh"]);
    assert_eq!(installation.tables().await, tables);
    let requests = installation.data_requests().len();
    let said = installation.succeed(&["refresh", "quality", "--yes"]).await;
    assert_shows(&said.stdout, &["archived", "2 of 2 chunks refreshed"]);
    // Of two schemas one was paid for by the repair.
    assert_eq!(installation.data_requests().len(), requests + 1);
}

#[tokio::test]
async fn a_repair_beyond_the_budget_asks_for_nothing() {
    let installation = worked_off().await;
    flip(&path(&installation, &keys(&installation).await[0]));
    installation
        .execute("UPDATE jobs SET max_cost_nanousd = 1")
        .await;
    let requests = installation.data_requests().len();
    let said = installation
        .run(&["archive", "verify", "--repair", "--yes"])
        .await;
    assert_eq!(said.code, Some(5), "{said:#?}");
    assert_eq!(installation.data_requests().len(), requests);
}

#[cfg(not(feature = "s3"))]
#[tokio::test]
async fn a_bucket_without_s3_is_refused_with_what_to_do() {
    let installation = worked_off().await;
    let said = installation
        .run(&["archive", "verify", "--archive-url", "s3://bucket/archive"])
        .await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert_shows(&said.stderr, &["built without S3", "--features s3"]);
}
