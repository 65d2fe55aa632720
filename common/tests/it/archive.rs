//! The archive: an object counts once its manifest is there, and nothing else does.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::archive::{Archive, Manifest, Objects, Receipt, StreamFacts};
use common::request::Symbols;
use common::time::{Day, DayRange, Nanos};
use common::vendor::RangeRequest;
use dbn::{SType, Schema};
use proptest::prelude::*;
use proptest::test_runner::Config;
use testkit::sandbox::Sandbox;

const BODY: &[u8] = b"a stream of records, as the vendor compressed it";
const NOW: Nanos = Nanos(1_704_448_800_000_000_000);
const FACTS: StreamFacts = StreamFacts {
    records: 3,
    billable_bytes: 144,
    index_times: Some((Nanos(1), Nanos(2))),
};

fn open(sandbox: &Sandbox) -> Archive {
    let url = format!("file://{}", root(sandbox).display());
    Archive::open(&url, "the vendor").expect("a folder can be an archive")
}

fn root(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("archive")
}

fn request(dataset: &str) -> RangeRequest {
    let start = Day::from_ymd(2024, 1, 4).expect("a day");
    let days = DayRange::new(start, start.plus(1)).expect("one day");
    let symbols = Symbols::named(vec!["ES.c.0".into(), "CL.c.0".into()]);
    RangeRequest::new(dataset, Schema::Trades, SType::Continuous, &symbols, days)
}

/// The archive as threads that may block use it.
fn open_objects(sandbox: &Sandbox) -> Objects {
    open(sandbox).objects()
}

fn begin(archive: &Objects, request: &RangeRequest, unique: &str) -> Receipt {
    let stream = archive.stream(request, 1);
    let partial = archive.partial(&stream).expect("parts can be looked for");
    let receipt = archive.begin(&stream, &partial, unique);
    receipt.expect("an object can begin")
}

fn finish(archive: &Objects, request: &RangeRequest, receipt: Receipt) -> Manifest {
    let stream = archive.stream(request, 1);
    let mut partial = archive.partial(&stream).expect("parts can be looked for");
    let part = receipt.keep(FACTS, 0).expect("an object can be kept");
    partial.parts.push(part);
    let finished = archive.finish(&stream, partial, NOW);
    finished.expect("a stream can be finished")
}

fn store(archive: &Objects, request: &RangeRequest) -> Manifest {
    let mut receipt = begin(archive, request, "1-1");
    receipt.write(&BODY[..10]).expect("bytes can be written");
    receipt.write(&BODY[10..]).expect("bytes can be written");
    finish(archive, request, receipt)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_was_finished_is_found_and_read_back() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    assert_eq!(archive.find(&request, 1).unwrap(), None);

    let manifest = store(&archive, &request);

    assert_eq!(archive.find(&request, 1).unwrap(), Some(manifest.clone()));
    assert_eq!(manifest.bytes, BODY.len() as u64);
    assert_eq!(manifest.records, 3);
    assert_eq!(
        manifest.sha256,
        "3de17898246c12a41815fa5d7b8ca06d9b5ddf081a2d6dc420018bac0705bd9a"
    );
    let mut body = Vec::new();
    let mut file = fs::File::open(root(&sandbox).join(&manifest.key)).unwrap();
    file.read_to_end(&mut body).unwrap();
    assert_eq!(body, BODY);
}

#[test]
fn what_was_finished_is_found_by_the_next_process() {
    let sandbox = Sandbox::new();
    let manifest = store(&open_objects(&sandbox), &request("GLBX.MDP3"));
    let found = open_objects(&sandbox)
        .find(&request("GLBX.MDP3"), 1)
        .unwrap();
    assert_eq!(found, Some(manifest));
}

#[test]
fn a_part_that_is_dropped_leaves_nothing() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    let mut part = begin(&archive, &request, "1-1");
    part.write(BODY).unwrap();
    assert_eq!(
        archive.find(&request, 1).unwrap(),
        None,
        "while it is received"
    );

    drop(part);

    assert_eq!(archive.find(&request, 1).unwrap(), None);
    assert_eq!(files(&root(&sandbox)), Vec::<PathBuf>::new());
}

#[test]
fn a_truncated_object_is_not_found() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    let manifest = store(&archive, &request);
    let object = root(&sandbox).join(&manifest.key);
    for length in [0, BODY.len() - 1, BODY.len() + 1] {
        let mut damaged = BODY.to_vec();
        damaged.resize(length, 0);
        fs::write(&object, damaged).unwrap();
        assert_eq!(archive.find(&request, 1).unwrap(), None, "{length} bytes");
    }
    fs::remove_file(&object).unwrap();
    assert_eq!(archive.find(&request, 1).unwrap(), None, "no object");
}

#[test]
fn a_broken_manifest_is_not_found_and_can_be_replaced() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    let manifest = store(&archive, &request);
    let file = root(&sandbox).join(format!("{}.json", manifest.key));
    let whole = fs::read(&file).unwrap();
    let cut = &whole[..whole.len() / 2];
    for broken in [b"".as_slice(), cut, b"{}", b"[1, 2]", b"\xff\xfe\x00"] {
        fs::write(&file, broken).unwrap();
        assert_eq!(archive.find(&request, 1).unwrap(), None, "{broken:?}");
    }
    // What is there without a manifest is taken up, or makes room.
    let stream = archive.stream(&request, 1);
    let partial = archive.partial(&stream).unwrap();
    for orphan in archive.orphans(&stream, &partial).unwrap() {
        assert_eq!(orphan.name, manifest.key);
        archive.remove(&orphan).unwrap();
    }
    assert_eq!(store(&archive, &request), manifest);
    assert_eq!(archive.find(&request, 1).unwrap(), Some(manifest));
}

#[test]
fn a_manifest_of_another_request_or_object_is_not_found() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let manifest = store(&archive, &request("GLBX.MDP3"));
    let file = root(&sandbox).join(format!("{}.json", manifest.key));
    let of_another_request = Manifest {
        request: request("XNAS.ITCH"),
        ..manifest.clone()
    };
    let of_another_object = Manifest {
        key: "../../elsewhere".into(),
        ..manifest.clone()
    };
    for mismatching in [of_another_request, of_another_object] {
        let text = serde_json::to_string(&mismatching).unwrap();
        fs::write(&file, text).unwrap();
        let found = archive.find(&request("GLBX.MDP3"), 1).unwrap();
        assert_eq!(found, None, "{mismatching:?}");
    }
}

#[test]
fn an_object_that_is_forgotten_is_fetched_again() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    let manifest = store(&archive, &request);
    archive.forget(&manifest).unwrap();
    assert_eq!(archive.find(&request, 1).unwrap(), None);
    store(&archive, &request);
    assert_eq!(archive.find(&request, 1).unwrap(), Some(manifest));
}

#[test]
fn a_sweep_removes_what_killed_processes_left_and_nothing_else() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    open(&sandbox)
        .sweep()
        .expect("there may be nothing to sweep");
    let manifest = store(&archive, &request("GLBX.MDP3"));
    // A killed process runs no destructors, and its locks end with it.
    fs::write(root(&sandbox).join("parts/of-a-killed-process"), BODY).unwrap();
    // Another process is at work: it shares the folder, not the database.
    let mut part = begin(&archive, &request("XNAS.ITCH"), "2-1");
    part.write(BODY).unwrap();
    assert_eq!(files(&root(&sandbox)).len(), 4);

    open(&sandbox).sweep().unwrap();

    assert_eq!(files(&root(&sandbox)).len(), 3);
    finish(&archive, &request("XNAS.ITCH"), part);
    let found = archive.find(&request("GLBX.MDP3"), 1).unwrap();
    assert_eq!(found, Some(manifest));
}

/// Workers start together, and each makes sure that it can write, and sweeps.
#[test]
fn many_that_start_at_once_do_not_stand_in_each_others_way() {
    let sandbox = Sandbox::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    open(&sandbox).sweep().unwrap();
                }
            });
        }
    });
}

#[test]
fn of_two_who_receive_the_same_request_one_is_told_that_it_is_there() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let request = request("GLBX.MDP3");
    let mut late = begin(&archive, &request, "2");
    late.write(b"the same, later").unwrap();
    let manifest = store(&archive, &request);
    let refused = late.keep(FACTS, 0).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(archive.find(&request, 1).unwrap(), Some(manifest));
    assert_eq!(
        files(&root(&sandbox)).len(),
        2,
        "an object and its manifest"
    );
}

#[test]
fn equal_requests_share_an_object_and_different_ones_do_not() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    let one = request("GLBX.MDP3");
    let variations = [
        one.clone(),
        request("GLBX.MDP4"),
        RangeRequest {
            schema: "tbbo".into(),
            ..one.clone()
        },
        RangeRequest {
            stype_in: "raw_symbol".into(),
            ..one.clone()
        },
        RangeRequest {
            symbols: Symbols::ALL,
            ..one.clone()
        },
        RangeRequest {
            symbols: Symbols::named(vec!["ES.c.0".into()]),
            ..one.clone()
        },
        RangeRequest {
            symbols: Symbols::named(vec!["CL.c.0,ES.c.0".into()]),
            ..one.clone()
        },
        RangeRequest {
            // Half a day: the folder's name is the same.
            span: common::time::Span {
                end: Nanos(one.span.end.0 - 1),
                ..one.span
            },
            ..one.clone()
        },
    ];
    let keys: HashSet<_> = variations
        .iter()
        .map(|request| store(&archive, request).key)
        .collect();
    assert_eq!(keys.len(), variations.len());
    for request in &variations {
        let found = archive.find(request, 1).unwrap().expect("it was stored");
        assert_eq!(found.request, *request);
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, cases: 64, ..Config::default() })]

    #[test]
    fn no_name_of_a_dataset_leads_out_of_the_folder(
        dataset in "[./\\\\~ A-Z:$%*\u{e9}]{0,12}",
        schema in prop_oneof![Just("trades".to_owned()), "[./\\\\]{0,9}"],
    ) {
        let sandbox = Sandbox::new();
        let archive = open_objects(&sandbox);
        let request = RangeRequest { schema, ..request(&dataset) };
        let manifest = store(&archive, &request);
        prop_assert_eq!(archive.find(&request, 1).unwrap(), Some(manifest));
        let all = files(sandbox.path());
        let inside = files(&root(&sandbox));
        prop_assert_eq!(all.len(), 2);
        prop_assert_eq!(inside, all);
    }
}

#[test]
fn datasets_whose_names_become_one_folder_keep_objects_of_their_own() {
    let sandbox = Sandbox::new();
    let archive = open_objects(&sandbox);
    for dataset in ["A/B", "A_B", "A\\B"] {
        store(&archive, &request(dataset));
    }
    for dataset in ["A/B", "A_B", "A\\B"] {
        let found = archive.find(&request(dataset), 1).unwrap();
        assert_eq!(found.expect("it was stored").request.dataset, dataset);
    }
}

#[test]
fn an_address_that_is_no_folder_is_refused_with_an_example() {
    for url in ["data/archive", "file://", "", "gs://bucket/archive"] {
        let refusal = Archive::open(url, "the vendor").unwrap_err().to_string();
        assert!(refusal.contains("ARCHIVE_URL"), "{refusal}");
        assert!(refusal.contains("file://data/archive"), "{refusal}");
    }
}

#[cfg(not(feature = "s3"))]
#[test]
fn a_program_without_s3_says_so_and_what_to_do() {
    let refusal = Archive::open("s3://bucket/archive", "the vendor").unwrap_err();
    let refusal = refusal.to_string();
    for words in ["ARCHIVE_URL", "built without S3", "--features s3"] {
        assert!(refusal.contains(words), "{refusal}");
    }
}
