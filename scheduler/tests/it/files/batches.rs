//! Batch downloads: files with the lists that the vendor delivers beside them.

use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};
use testkit::checksum::scalar;

use super::{
    Delivered, FROM_FILES, TRADES, compressed, files, job, put_together, refused, rewrite, run,
    succeed, taken_apart,
};

/// Writes the lists of a batch download beside its files.
fn list(folder: &Path, query: &serde_json::Value) {
    let listed: Vec<_> = files(folder, ".dbn.zst")
        .iter()
        .map(|path| {
            let bytes = fs::read(path).unwrap();
            json!({
                "filename": path.file_name().unwrap().to_str(),
                "size": bytes.len(),
                "hash": format!("sha256:{}", common::hex(&Sha256::digest(&bytes))),
                "urls": {},
            })
        })
        .collect();
    let manifest = json!({"job_id": "GLBX-20240201-ABC", "files": listed});
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    let metadata = json!({"version": 1, "job_id": "GLBX-20240201-ABC", "query": query});
    fs::write(folder.join("metadata.json"), metadata.to_string()).unwrap();
}

/// As a batch download splits: a header goes from the first record to the last, and a day without
/// records has no file.
fn split_by_day(folder: &Path) {
    for path in files(folder, ".dbn.zst") {
        let (mut metadata, records) = taken_apart(&path);
        if records.is_empty() {
            fs::remove_file(path).unwrap();
            continue;
        }
        let record_bytes = usize::from(records[0]) * 4;
        let time = |record: &[u8]| u64::from_le_bytes(record[32..40].try_into().unwrap());
        metadata.start = time(&records);
        metadata.end = NonZeroU64::new(time(&records[records.len() - record_bytes..]));
        fs::write(&path, compressed(&put_together(&metadata, &records))).unwrap();
    }
}

fn query() -> serde_json::Value {
    json!({
        "dataset": "GLBX.MDP3", "schema": "trades", "symbols": ["ES.c.0", "CL.c.0"],
        "stype_in": "continuous", "stype_out": "instrument_id", "encoding": "dbn",
        "start": 1_704_326_400_000_000_000_i64, "end": "2024-01-10T00:00:00.000000000Z",
        "limit": null,
    })
}

#[tokio::test]
async fn a_batch_download_is_complete_by_its_own_lists() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, folder) = delivered.installation().await;
    let before = files(&folder, ".dbn.zst").len();
    split_by_day(&folder);
    let split = files(&folder, ".dbn.zst").len();
    assert!(split > 2 && split <= before, "{split} of {before}");
    list(&folder, &query());
    let job = job(&installation, TRADES);
    let said = succeed(&installation, &job).await;
    assert!(said.stdout.contains("is complete"), "{said:#?}");
    let tables = installation.tables().await;
    let vendors = delivered.vendor.tables().await;
    assert_eq!(tables["trades_data"].rows, vendors["trades_data"].rows);
    let slices = "SELECT group_concat(slice) FROM (SELECT
        instrument_id || ' ' || start_ns || ' ' || end_ns AS slice FROM coverage ORDER BY slice)";
    let ours: String = scalar(&installation.sandbox.database(), slices).await;
    let vendors: String = scalar(&delivered.vendor.sandbox.database(), slices).await;
    assert_eq!(ours, vendors);
}

#[tokio::test]
async fn a_batch_download_of_files_from_midnight_to_midnight_is_complete_as_well() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, folder) = delivered.installation().await;
    for path in files(&folder, ".dbn.zst") {
        if taken_apart(&path).1.is_empty() {
            fs::remove_file(path).unwrap();
        }
    }
    list(&folder, &query());
    let said = succeed(&installation, &job(&installation, TRADES)).await;
    assert!(said.stdout.contains("is complete"), "{said:#?}");
    assert!(!said.stderr.contains("by their headers"), "{said:#?}");
    let tables = installation.tables().await;
    let vendors = delivered.vendor.tables().await;
    assert_eq!(tables["trades_data"].rows, vendors["trades_data"].rows);
}

#[tokio::test]
async fn a_symbology_beside_files_of_several_datasets_is_refused() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, folder) = delivered.installation().await;
    let path = folder.join("trades-2024-01-08.dbn.zst");
    rewrite(&path, |metadata, _| {
        metadata.dataset = "XNAS.ITCH".to_owned()
    });
    let symbology =
        json!({"result": {"ES.c.0": [{"d0": "2024-01-04", "d1": "2024-01-10", "s": 7}]}});
    fs::write(folder.join("symbology.json"), symbology.to_string()).unwrap();
    refused(
        &installation,
        TRADES,
        "symbology.json",
        "GLBX.MDP3, XNAS.ITCH",
    )
    .await;
}

#[tokio::test]
async fn a_split_download_without_its_lists_covers_no_day() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, folder) = delivered.installation().await;
    split_by_day(&folder);
    let said = run(&installation, &job(&installation, TRADES)).await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(said.stderr.contains("manifest.json"), "{said:#?}");
    assert!(!installation.tables().await.contains_key("trades_data"));
}

#[tokio::test]
async fn a_batch_download_with_a_wrong_or_missing_file_is_refused() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, folder) = delivered.installation().await;
    split_by_day(&folder);
    list(&folder, &query());
    let name = "trades-2024-01-08.dbn.zst";
    let path = folder.join(name);
    let whole = fs::read(&path).unwrap();

    fs::remove_file(&path).unwrap();
    refused(&installation, TRADES, name, "the file is missing").await;
    fs::write(&path, &whole[1..]).unwrap();
    refused(&installation, TRADES, name, "bytes where").await;
    let mut changed = whole.clone();
    // Into the records, past the magic and the frame's head.
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&path, &changed).unwrap();
    refused(&installation, TRADES, name, "SHA-256").await;
    fs::write(&path, &whole).unwrap();
    let mut limited = query();
    limited["limit"] = json!(1_000);
    list(&folder, &limited);
    refused(&installation, TRADES, "metadata.json", "limit").await;
    list(&folder, &query());
    // The lists contradict one another, or the files.
    let metadata = "metadata.json";
    let rewritten = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(folder.join(name), text.replace(from, to)).unwrap();
    };
    rewritten(metadata, "GLBX-20240201-ABC", "GLBX-20240201-XYZ");
    refused(&installation, TRADES, metadata, "of the batch").await;
    fs::write(folder.join(metadata), "{\"query\": {").unwrap();
    refused(&installation, TRADES, metadata, "can't be read").await;
    fs::write(folder.join(metadata), "{\"query\": {}}").unwrap();
    refused(&installation, TRADES, metadata, "doesn't say").await;
    let mut other = query();
    other["end"] = json!("2024-01-09");
    list(&folder, &other);
    refused(&installation, TRADES, "trades-2024-01-09", "speaks of").await;
    let mut other = query();
    other["stype_in"] = json!("raw_symbol");
    list(&folder, &other);
    refused(&installation, TRADES, ".dbn.zst", "as continuous").await;
    let mut other = query();
    other["end"] = json!("2199-01-10");
    list(&folder, &other);
    refused(&installation, TRADES, metadata, "yet to come").await;
    list(&folder, &query());
    rewritten("manifest.json", "sha256:", "sha-256:");
    refused(&installation, TRADES, "manifest.json", "SHA-256").await;
    list(&folder, &query());
    // A day that the vendor had not published whole when the batch was made is not proven.
    let conditions = json!([
        {"date": "2024-01-05", "condition": "available", "last_modified_date": "2024-01-06"},
        {"date": "2024-01-09", "condition": "pending", "last_modified_date": null},
    ]);
    fs::write(folder.join("condition.json"), conditions.to_string()).unwrap();
    let said = run(&installation, &job(&installation, TRADES)).await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(said.stdout.contains("covers 2024-01-09"), "{said:#?}");
    fs::remove_file(folder.join("condition.json")).unwrap();
    succeed(&installation, &job(&installation, TRADES)).await;
}

const EVERYTHING: &str = "
dataset: GLBX.MDP3
schemas: [trades]
symbols: ALL_SYMBOLS
start: 2024-01-08
end: 2024-01-11
chunking: {days: 1}
";

#[tokio::test]
async fn files_of_every_symbol_answer_for_some_by_the_symbology_beside_them() {
    let delivered = Delivered::of(EVERYTHING).await;
    let (installation, folder) = delivered.installation().await;
    let some = EVERYTHING.replace("ALL_SYMBOLS", "[ESH4]");
    let job = job(&installation, &some);
    let said = run(&installation, &job).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("knows no symbol \"ESH4\""), "{said:?}");

    let of_one = Delivered::of(&some).await;
    let of = "SELECT instrument_id FROM symbology WHERE symbol = 'ESH4'";
    let id: i64 = scalar(&of_one.vendor.sandbox.database(), of).await;
    let symbology = json!({
        "result": {"ESH4": [{"d0": "2024-01-08", "d1": "2024-01-11", "s": id.to_string()}]},
        "symbols": ["ALL_SYMBOLS"], "stype_in": "raw_symbol", "stype_out": "instrument_id",
        "start_date": "2024-01-08", "end_date": "2024-01-11", "partial": [], "not_found": [],
    });
    fs::write(folder.join("symbology.json"), symbology.to_string()).unwrap();
    let job = installation.job(&format!("{FROM_FILES}{some}"));
    succeed(&installation, &job).await;
    let ours: i64 = scalar(
        &installation.sandbox.database(),
        "SELECT count(*) FROM trades_data",
    )
    .await;
    assert!(ours > 0);
    assert_eq!(installation.tables().await, of_one.vendor.tables().await);
}
