//! The worker as its operator sees it: a process that takes chunks up, and stops when it is told to.

use std::process::Stdio;

use dbn::{SType, Schema};
use testkit::processes;
use tokio::process::Child;

use crate::fleet::{FOREVER, Fleet};
use crate::installation::{Piece, january, piece};
use crate::metrics::watched::Watched;

fn pieces() -> Vec<Piece> {
    (2..9)
        .map(|day| piece(Schema::Trades, &["ES.c.0", "CL.c.0"], january(day, day + 1)))
        .collect()
}

/// Tells a worker to stop; its exit code.
async fn terminate(worker: &mut Child) -> Option<i32> {
    processes::signal("TERM", &[worker.id().unwrap()]);
    let ended = tokio::time::timeout(FOREVER, worker.wait()).await;
    ended.expect("it ends").unwrap().code()
}

#[tokio::test]
async fn workers_complete_a_job_and_redis_shows_it() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let mut workers = [fleet.spawn(), fleet.spawn()];
    let job = fleet.submit("job", SType::Continuous, &pieces()).await;
    let status = fleet.wait_for(job, |job| job.complete).await;
    assert_eq!(status.chunks.done + status.chunks.empty, 7, "{status:#?}");
    assert!(status.records.loaded > 0, "{status:#?}");
    let shown = async |field: &str, wanted: &str| {
        let deadline = tokio::time::Instant::now() + FOREVER;
        let key = format!("backhaul:job:{job}");
        loop {
            let value = fleet.redis.cli(&["HGET", &key, field]);
            if value.trim() == wanted {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{field}: {value}");
        }
    };
    shown("state", "done").await;
    shown("records_loaded", &status.records.loaded.to_string()).await;
    for worker in &mut workers {
        assert_eq!(terminate(worker).await, Some(0), "{}", fleet.log());
    }
    assert_eq!(fleet.redis.cli(&["ZCARD", "backhaul:workers"]).trim(), "0");
}

#[tokio::test]
async fn what_nobody_put_into_the_queue_is_found_by_the_reconciler() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let job = fleet.submit("job", SType::Continuous, &pieces()).await;
    fleet.redis.flush_all();
    let _worker = fleet.spawn();
    fleet.wait_for(job, |job| job.complete).await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_hands_back_what_it_can_not_finish() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    fleet.stall_next_stream(3_600.0);
    let job = fleet
        .submit("job", SType::Continuous, &pieces()[2..3])
        .await;
    let mut command = fleet.worker();
    command.env("BACKHAUL_SHUTDOWN_GRACE_SECONDS", "1");
    let mut worker = command.spawn().unwrap();
    fleet.wait_for_stream().await;
    assert_eq!(terminate(&mut worker).await, Some(0), "{}", fleet.log());
    let status = fleet.store.job(job).await.unwrap().unwrap();
    assert_eq!(status.chunks.pending, 1, "{status:#?}\n{}", fleet.log());
    let due = fleet.store.due(job, 9, common::store::Moment::Now).await;
    assert_eq!(due.unwrap().len(), 1, "it is due at once");
    let left = fleet.store.unfinished(job, 9).await.unwrap();
    let _next = fleet.spawn();
    fleet.wait_for(job, |job| job.complete).await;
    assert!(left[0].error.is_some(), "{left:?}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    fleet.stall_next_stream(3_600.0);
    fleet
        .submit("job", SType::Continuous, &pieces()[2..3])
        .await;
    let mut worker = fleet.spawn();
    fleet.wait_for_stream().await;
    let id = worker.id().unwrap();
    processes::signal("TERM", &[id]);
    let deadline = tokio::time::Instant::now() + FOREVER;
    while !fleet.log().contains("once more to end at once") {
        assert!(tokio::time::Instant::now() < deadline, "{}", fleet.log());
        tokio::task::yield_now().await;
    }
    assert_eq!(terminate(&mut worker).await, Some(143));
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_is_taken() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let cases = [
        ("DATABASE_URL", "sqlite://data/backhaul.db", "scheduler run"),
        ("REDIS_URL", "", "REDIS_URL"),
        ("REDIS_URL", "redis://:secret-word@127.0.0.1:1", "REDIS_URL"),
        (
            "DATABASE_URL",
            "postgres://me:secret-word@127.0.0.1:1/x",
            "DATABASE_URL",
        ),
        ("ARCHIVE_URL", "s3://bucket", "ARCHIVE_URL"),
    ];
    for (variable, value, told) in cases {
        let mut command = fleet.worker();
        command.env(variable, value).stderr(Stdio::piped());
        let output = command.output().await.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{variable}: {text}"
        );
        assert!(text.contains(told), "{variable}={value}: {text}");
        assert!(!text.contains("secret-word"), "{text}");
    }
}

#[tokio::test]
async fn a_health_check_tells_whether_the_worker_lives() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let mut worker = Watched::start(&fleet, 0).await;
    // As an engine asks: with nothing but what the container has.
    let ask = async |listen: &str| {
        let mut command = fleet.worker();
        command.arg("--health-check").stderr(Stdio::piped());
        if !listen.is_empty() {
            command.env("BACKHAUL_METRICS_LISTEN", listen);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let (address, port) = (worker.address.to_string(), worker.address.port());
    assert_eq!(ask(&address).await, (Some(0), String::new()));
    assert_eq!(
        ask(&format!("0.0.0.0:{port}")).await,
        (Some(0), String::new())
    );

    let (code, said) = ask("").await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("BACKHAUL_METRICS_LISTEN"), "{said}");

    worker.process.kill().await.unwrap();
    let (code, said) = ask(&address).await;
    let line = format!("error: no word of health from {address}: ");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with(&line) && said.lines().count() == 1,
        "{said}"
    );
    // Redis answers there, and is no worker.
    let other = fleet.redis.address().to_string();
    let (code, said) = ask(&other).await;
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
}

#[tokio::test]
async fn a_worker_without_its_servers_lives_on() {
    let Some(mut fleet) = Fleet::start().await else {
        return;
    };
    let worker = Watched::start(&fleet, 0).await;
    fleet.postgres.kill();
    fleet.redis.kill();
    worker.wait_for("/readyz", 503, "neither").await;
    let mut command = fleet.worker();
    command
        .arg("--health-check")
        .env("BACKHAUL_METRICS_LISTEN", worker.address.to_string());
    assert_eq!(command.status().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_database_that_is_killed_costs_no_attempt() {
    let Some(mut fleet) = Fleet::start().await else {
        return;
    };
    fleet.stall_next_stream(1.0);
    let job = fleet.submit("job", SType::Continuous, &pieces()).await;
    let _worker = fleet.spawn();
    fleet.wait_for_stream().await;
    fleet.postgres.kill();
    fleet.postgres.restart();
    fleet.wait_for(job, |job| job.complete).await;
    let failures = fleet.postgres.psql("SELECT sum(failures) FROM chunks");
    assert_eq!(failures.trim(), "0", "{}", fleet.log());
}

#[tokio::test]
async fn what_a_killed_worker_had_is_taken_up_when_its_lease_ends() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    fleet.stall_next_stream(3_600.0);
    let job = fleet
        .submit("job", SType::Continuous, &pieces()[2..3])
        .await;
    let mut command = fleet.worker();
    command.env("BACKHAUL_LEASE_SECONDS", "1");
    let mut killed = command.spawn().unwrap();
    fleet.wait_for_stream().await;
    killed.kill().await.unwrap();
    let _next = fleet.spawn();
    let status = fleet.wait_for(job, |job| job.complete).await;
    assert_eq!(status.chunks.done, 1);
    let epoch = fleet.postgres.psql("SELECT epoch FROM chunks");
    assert_eq!(epoch.trim(), "2", "{}", fleet.log());
}

#[tokio::test]
async fn a_worker_of_the_vendors_refuses_a_database_of_a_stand_ins_records() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    fleet.submit("job", SType::Continuous, &pieces()[..1]).await;
    let mut worker = fleet.worker();
    worker.env("DATABENTO_URL", "https://hist.databento.com");
    let ended = tokio::time::timeout(FOREVER, worker.spawn().unwrap().wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(2), "{}", fleet.log());
    assert!(fleet.log().contains("must not mix"), "{}", fleet.log());
}
