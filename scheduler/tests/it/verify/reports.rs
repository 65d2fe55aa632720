//! Reports: each kept, none overwritten, and compared with an earlier one.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::engine::Engine;

use super::{loaded, verified};
use crate::installation::Installation;
use crate::quality::assert_shows;

fn kept(installation: &Installation) -> Vec<PathBuf> {
    let folder = installation.sandbox.path().join("verify");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn read(path: &PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

const QUICK: [&str; 4] = [
    "--check",
    "data-availability",
    "--check",
    "operational-stability",
];

#[tokio::test]
async fn each_run_is_kept_whole_also_two_of_one_second() {
    let installation = loaded(&Engine::Sqlite).await;
    let arguments = [&["verify", "--json"], &QUICK[..]].concat();
    let (one, other) = tokio::join!(installation.run(&arguments), installation.run(&arguments));
    let kept = kept(&installation);
    assert_eq!(kept.len(), 2, "{kept:?}");
    let printed = [one, other].map(|said| serde_json::from_str::<Value>(&said.stdout).unwrap());
    for path in &kept {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            name.starts_with("verify-2") && name.ends_with("Z.json"),
            "{name}"
        );
        assert!(printed.contains(&read(path)));
    }
    // In a folder of one's own.
    let (_, document) =
        verified(&installation, &["--reports", "mine", QUICK[0], QUICK[1]], 0).await;
    let mine = std::fs::read_dir(installation.sandbox.path().join("mine")).unwrap();
    let mine: Vec<_> = mine.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(mine.len(), 1);
    assert_eq!(read(&mine[0]), document);
}

#[tokio::test]
async fn what_has_changed_since_is_told() {
    let installation = loaded(&Engine::Sqlite).await;
    verified(&installation, &[], 0).await;
    let (_, document) = verified(&installation, &["--compare", "last"], 0).await;
    let comparison = &document["comparison"];
    assert_eq!(comparison["newly_failing"], json!([]));
    assert_eq!(comparison["newly_missing"], json!([]));
    assert_eq!(comparison["previous_score"], 100.0);
    let before = kept(&installation)[0].clone();

    installation
        .execute("DELETE FROM trades_data WHERE row_number = 0")
        .await;
    let lost = "DELETE FROM coverage WHERE schema = 'status' AND instrument_id IN (
        SELECT instrument_id FROM symbology WHERE symbol = 'CL.c.0')";
    installation.execute(lost).await;
    let before = before.display().to_string();
    let (_, document) = verified(&installation, &["--compare", &before], 4).await;
    let comparison = &document["comparison"];
    assert_eq!(comparison["previous"], before);
    let failing = comparison["newly_failing"].as_array().unwrap();
    for name in ["data-availability", "data-integrity", "rows_are_as_loaded"] {
        assert!(failing.contains(&json!(name)), "{failing:?}");
    }
    assert_eq!(
        comparison["newly_missing"],
        json!(["verified GLBX.MDP3 status CL.c.0"])
    );
    let only = ["verify", "--check", "data-integrity", "--compare", "last"];
    let said = installation.run(&only).await;
    assert_shows(&said.stdout, &["are in one of the two alone", "since 20"]);
    // The last of all is now of one aspect alone: all four are compared with the one before it.
    let (_, document) = verified(&installation, &["--compare", "last"], 4).await;
    assert_eq!(document["comparison"]["notes"], json!([]));
    let said = installation.run(&["verify", "--compare", &before]).await;
    assert_shows(
        &said.stdout,
        &[
            "score 100.0 → ",
            "newly failing: rows_are_as_loaded",
            "newly missing: verified GLBX.MDP3 status CL.c.0",
        ],
    );
}

#[tokio::test]
async fn what_is_no_report_is_refused_before_anything_is_checked() {
    let installation = loaded(&Engine::Sqlite).await;
    let refused = async |arguments: &[&str], words: &[&str]| {
        let said = installation.run(&[&["verify"], arguments].concat()).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:#?}");
        assert_eq!(said.stdout, "");
        assert_shows(&said.stderr, words);
    };
    refused(&["--compare", "last"], &["there is no earlier report in"]).await;
    refused(
        &["--compare", "absent.json"],
        &["absent.json", "can't be read"],
    )
    .await;
    for (text, words) in [
        ("no JSON", "this is no report"),
        ("[]", "this is no report"),
        ("{\"version\": 1}", "this is no report"),
        (
            "{\"format\": \"backhaul verify report\", \"version\": 2}",
            "of version 2",
        ),
        (
            "{\"format\": \"backhaul verify report\", \"version\": 1}",
            "the report is damaged",
        ),
    ] {
        let path = installation
            .sandbox
            .write("other.json", text)
            .display()
            .to_string();
        refused(&["--compare", &path], &[words, "name a report"]).await;
    }
    installation.sandbox.write("a file", "");
    refused(
        &["--reports", "a file/reports"],
        &["can't be written", "name a folder"],
    )
    .await;
    refused(&["nojob"], &["no job of this name"]).await;
    refused(&["--check", "data-avail"], &["data-availability"]).await;
    refused(&["--query-limit-seconds", "0"], &["0"]).await;
    assert!(!installation.sandbox.path().join("verify").exists());
}
