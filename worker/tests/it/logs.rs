//! Log lines as programs and people read them: each that a chunk's work writes says whose it is.

use std::collections::BTreeSet;
use std::process::Stdio;

use dbn::{SType, Schema};
use serde_json::Value;
use simulator::{Fault, FaultKind};
use testkit::processes;

use crate::fleet::{FOREVER, Fleet};
use crate::installation::{january, piece};

/// Lines that are about no chunk.
const OF_THE_PROCESS: [&str; 4] = [
    "the worker begins",
    "stopping: what is being loaded is finished; once more to end at once",
    "no more chunks are taken; those at hand are finished",
    "the worker ends",
];

/// What a worker logs, in this format, of three chunks of which one is tried twice.
async fn logged(format: &str) -> Option<String> {
    let fleet = Fleet::start().await?;
    let pieces: Vec<_> = (8..11)
        .map(|day| piece(Schema::Trades, &["ES.c.0"], january(day, day + 1)))
        .collect();
    let planned = fleet.plan(SType::Continuous, &pieces).await;
    let fault = Fault::next(FaultKind::ServerErrorText, 1);
    fleet
        .simulator
        .add_fault(fault.on_path("timeseries.get_range"));
    let mut command = fleet.worker();
    command
        .env("BACKHAUL_LOG", "warn,worker=debug")
        .env("BACKHAUL_LOG_FORMAT", format);
    let mut worker = command.spawn().unwrap();
    let request = crate::installation::request("job", SType::Continuous, january(8, 11));
    let job = fleet.submit_planned(&request, &planned).await;
    fleet.wait_for(job, |job| job.complete).await;
    processes::signal("TERM", &[worker.id().unwrap()]);
    let ended = tokio::time::timeout(FOREVER, worker.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0), "{}", fleet.log());
    Some(fleet.log())
}

#[tokio::test]
async fn piped_each_line_is_an_object_and_those_of_a_chunk_name_job_chunk_attempt_and_worker() {
    // As when nothing is set.
    let Some(log) = logged("").await else {
        return;
    };
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let worker = lines
        .iter()
        .find(|line| line["message"] == "the worker begins");
    let worker = &worker.unwrap()["worker"];
    let mut attempts = BTreeSet::new();
    let mut told = BTreeSet::new();
    for line in &lines {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "{line}");
        }
        let message = line["message"].as_str().unwrap().to_owned();
        let span = &line["span"];
        if OF_THE_PROCESS.contains(&&*message) {
            continue;
        }
        assert_eq!(&span["worker"], worker, "{line}");
        assert_eq!(span["job"], 1, "{line}");
        let (chunk, attempt) = (span["chunk"].as_i64(), span["attempt"].as_i64());
        attempts.insert((chunk.unwrap(), attempt.unwrap()));
        told.insert(message);
    }
    let expected = [
        "a chunk is done",
        "a chunk was claimed",
        "a chunk will be tried again",
    ];
    assert_eq!(told, expected.map(str::to_owned).into(), "{log}");
    let twice = attempts.iter().filter(|(_, attempt)| *attempt == 2).count();
    assert_eq!((attempts.len(), twice), (4, 1), "{attempts:?}");
}

#[tokio::test]
async fn for_people_a_line_is_a_sentence_with_the_same_fields() {
    let Some(log) = logged("human").await else {
        return;
    };
    let done: Vec<_> = log
        .lines()
        .filter(|line| line.contains("a chunk is done"))
        .collect();
    assert_eq!(done.len(), 3, "{log}");
    for line in done {
        for field in ["chunk{job=1 chunk=", "attempt=", "worker=", "schema=trades"] {
            assert!(line.contains(field), "{field}: {line}");
        }
        assert!(
            !line.contains('\u{1b}'),
            "no colours but on a terminal: {line}"
        );
    }
}

#[tokio::test]
async fn a_format_that_is_none_is_refused() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let mut command = fleet.worker();
    command
        .env("BACKHAUL_LOG_FORMAT", "xml")
        .stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for words in ["BACKHAUL_LOG_FORMAT", "human or json"] {
        assert!(said.contains(words), "{said}");
    }
}
