//! The stories: real programs, and a receiver that is asked what it got.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use simulator::{Fault, FaultKind};
use testkit::programs::built;
use tokio::process::Command;

use super::receiver::{Answers, Receiver, Span};
use crate::fleet_commands::ground::{Ground, JOB};
use crate::installation::{Said, said};

/// The same command, traced.
fn traced<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hush")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .env("BACKHAUL_LOG_FORMAT", "json")
}

/// A run on one machine, traced.
async fn run(ground: &Ground, endpoint: &str, more: &[(&str, &str)]) -> Said {
    let mut command = ground.command(&["run", &ground.job(JOB)]);
    let command = traced(&mut command, endpoint).envs(more.iter().copied());
    said(command.output().await.unwrap())
}

/// A fleet's worker, at work until it is told to end.
async fn work(ground: &Ground, endpoint: &str, until: &str) -> String {
    let scheduler = ground.command(&[]);
    let mut worker = Command::new(built("worker"));
    for (name, value) in scheduler.as_std().get_envs() {
        worker.env(name, value.unwrap_or_default());
    }
    let folder = scheduler.as_std().get_current_dir().unwrap();
    let log = folder.join("worker.log");
    let worker = traced(&mut worker, endpoint)
        .current_dir(folder)
        .stderr(std::fs::File::create(&log).unwrap())
        .kill_on_drop(true);
    let mut worker = worker.spawn().unwrap();
    ground.succeed(&["watch", until]).await;
    let id = worker.id().unwrap().to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(told.unwrap().success());
    assert!(worker.wait().await.unwrap().success());
    std::fs::read_to_string(log).unwrap()
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn names_below(spans: &[Span], parent: &Span) -> BTreeSet<String> {
    let below = spans.iter().filter(|span| span.parent == parent.id);
    below.map(|span| span.name.clone()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_jobs_trace_goes_from_its_submission_through_the_queue_to_each_commit() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let receiver = Receiver::start(Answers::Taken).await;
    let mut submit = ground.command(&["submit", &ground.job(JOB)]);
    let submit = said(traced(&mut submit, &receiver.url).output().await.unwrap());
    assert_eq!(submit.code, Some(0), "{submit:?}");
    let log = work(&ground, &receiver.url, "fleet").await;

    let spans = receiver.spans();
    let [root] = named(&spans, "submit")[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!(root.parent, "");
    assert_eq!(root.service, "backhaul-scheduler");
    assert_eq!(root.attributes["backhaul.chunks"], "3");
    let of_submission = set(&["plan", "price", "write", "queue", "chunk"]);
    assert_eq!(names_below(&spans, root), of_submission);
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces, BTreeSet::from([&root.trace]));

    let chunks = named(&spans, "chunk");
    assert_eq!((chunks.len(), named(&spans, "queue").len()), (3, 3));
    for chunk in chunks {
        assert_eq!(chunk.service, "backhaul-worker");
        assert_eq!(chunk.parent, root.id);
        let stages = set(&["fetch", "prepare", "load", "commit"]);
        assert_eq!(names_below(&spans, chunk), stages);
        for stage in spans.iter().filter(|span| span.parent == chunk.id) {
            assert!(chunk.start <= stage.start && stage.start <= stage.end);
            assert!(stage.end <= chunk.end, "{stage:?} {chunk:?}");
            assert_eq!(stage.error, None);
        }
        let attributes = &chunk.attributes;
        assert_eq!(attributes["backhaul.job"], "1");
        assert_eq!(attributes["backhaul.attempt"], "1");
        assert_eq!(attributes["backhaul.schema"], "trades");
        assert_eq!(attributes["backhaul.outcome"], "done");
        assert_ne!(attributes["backhaul.rows"], "0");
        assert_ne!(attributes["backhaul.bytes"], "0");
        assert!(attributes.contains_key("backhaul.worker"), "{chunk:?}");
    }
    is_told_by_the_log(&log, &submit, root);
    holds_no_secret(&receiver, &spans, &ground);
}

/// Each line of the work on a chunk names the trace.
fn is_told_by_the_log(log: &str, submit: &Said, root: &Span) {
    // What is said to whoever stops a worker is for people.
    let lines = log.lines().chain(submit.stderr.lines());
    let lines: Vec<Value> = lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let done = lines
        .iter()
        .filter(|line| line["message"] == "a chunk is done");
    let done: Vec<_> = done.map(|line| &line["span"]["trace_id"]).collect();
    assert_eq!(done, [&Value::from(root.trace.as_str()); 3], "{log}");
    let told = lines.iter().any(|line| {
        line["message"] == "a submission is traced" && line["trace_id"] == root.trace.as_str()
    });
    assert!(told, "{submit:?}");
}

fn holds_no_secret(receiver: &Receiver, spans: &[Span], ground: &Ground) {
    let authorizations = receiver.authorizations();
    assert!(!authorizations.is_empty());
    assert!(authorizations.iter().all(|value| value == "Bearer hush"));
    let all = format!("{spans:?}");
    for secret in [
        testkit::sandbox::API_KEY,
        "hush",
        "postgres://",
        "redis://",
        &ground.servers().postgres.url(),
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[tokio::test]
async fn an_attempt_that_fails_says_why_and_its_retry_is_in_the_same_trace() {
    let ground = Ground::one_machine().await;
    let receiver = Receiver::start(Answers::Taken).await;
    ground.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let run = run(&ground, &receiver.url, &[]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    let spans = receiver.spans();
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), 1, "{spans:#?}");
    let chunks = named(&spans, "chunk");
    let outcomes: BTreeSet<_> = chunks
        .iter()
        .map(|chunk| chunk.attributes["backhaul.outcome"].as_str())
        .collect();
    assert_eq!(outcomes, BTreeSet::from(["dead", "retry"]));
    for chunk in chunks {
        assert!(chunk.error.is_some(), "{chunk:?}");
        let stages: Vec<_> = spans.iter().filter(|it| it.parent == chunk.id).collect();
        let [fetch] = stages[..] else {
            panic!("{stages:#?}");
        };
        assert_eq!(fetch.name, "fetch");
        assert!(fetch.error.is_some(), "{fetch:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_or_is_away_costs_a_run_nothing() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let silent = Receiver::start(Answers::Nothing).await;
    let unusable = "neither http nor anything".to_owned();
    for (endpoint, told) in [
        (nobody, Some("traces are not taken")),
        (silent.url.clone(), None),
        (unusable, Some("nothing is traced")),
    ] {
        let ground = Ground::one_machine().await;
        // Whoever waited for an answer would wait as long as this.
        let patient = [("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000")];
        let run = tokio::time::timeout(Duration::from_secs(50), run(&ground, &endpoint, &patient));
        let run = run.await.expect("a run that waits for nobody");
        assert_eq!(run.code, Some(0), "{endpoint}: {run:?}");
        assert!(run.stdout.contains("fleet is complete"), "{run:?}");
        if let Some(told) = told {
            assert_eq!(run.stderr.matches(told).count(), 1, "{run:?}");
        }
        assert!(!run.stderr.contains(&endpoint), "{run:?}");
    }
    assert!(silent.requests() > 0);
}

#[tokio::test]
async fn nothing_is_traced_unless_somebody_asks_for_it() {
    let receiver = Receiver::start(Answers::Taken).await;
    for more in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let ground = Ground::one_machine().await;
        let run = run(&ground, &receiver.url, &[more]).await;
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    assert_eq!(receiver.requests(), 0);
    let ground = Ground::one_machine().await;
    ground.succeed(&["run", &ground.job(JOB)]).await;
    let kept: i64 = testkit::checksum::scalar(
        &ground.sandbox.database(),
        "SELECT count(*) FROM jobs WHERE traceparent IS NOT NULL",
    )
    .await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn the_service_is_named_as_the_environment_says() {
    let ground = Ground::one_machine().await;
    let receiver = Receiver::start(Answers::Taken).await;
    let traces = format!("{}/v1/traces", receiver.url);
    let named = [
        ("OTEL_SERVICE_NAME", "history"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=trial",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.as_str()),
    ];
    let run = run(&ground, "http://127.0.0.1:9", &named).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let spans = receiver.spans();
    assert!(!spans.is_empty());
    assert!(spans.iter().all(|span| span.service == "history"));
}
