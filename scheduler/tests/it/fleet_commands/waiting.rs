//! Waiting for a job that others work off, and watching it.

use common::configuration::files::ConfigFiles;
use serde_json::Value;
use simulator::{Fault, FaultKind};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use worker::service::Service;

use super::ground::{CHUNKS, Ground, JOB};
use crate::installation::{Said, said};
use crate::serve::FOREVER;

on_either_ground! {
    a_job_that_another_process_works_off_is_waited_for
    a_job_with_dead_chunks_is_waited_for_and_ends_incomplete
    a_paused_job_is_waited_for_no_longer
    an_interrupt_ends_the_waiting_and_not_the_job
    a_finished_job_is_watched_to_its_end
    a_failure_is_a_line_with_its_reason_and_what_to_type
}

/// Waits until a job was submitted.
async fn until_submitted(ground: &Ground, waiting: &mut Child) {
    loop {
        let said = ground.run(&["status", "fleet"]).await;
        if said.code == Some(0) {
            return;
        }
        assert!(waiting.try_wait().unwrap().is_none(), "{said:?}");
    }
}

async fn ended(child: Child) -> Said {
    said(child.wait_with_output().await.unwrap())
}

async fn interrupt(child: &Child) {
    let id = child.id().unwrap().to_string();
    let mut kill = tokio::process::Command::new("kill");
    assert!(kill.args(["-INT", &id]).status().await.unwrap().success());
}

async fn a_job_that_another_process_works_off_is_waited_for(ground: &Ground) {
    let job = ground.job(JOB);
    let mut waiting = ground.spawn(&["submit", &job, "--wait"]);
    until_submitted(ground, &mut waiting).await;
    ground.succeed(&["run", &job]).await;
    let waited = ended(waiting).await;
    assert_eq!(waited.code, Some(0), "{waited:?}");
    assert!(waited.stdout.contains("fleet is complete"), "{waited:?}");
    assert!(
        waited
            .stderr
            .contains("fleet (1): done, 3 of 3 chunks (100 %)"),
        "{waited:?}"
    );

    let again = ground.succeed(&["submit", &job, "--wait", "--json"]).await;
    let document: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(document["chunks_added"], 0);
    assert_eq!(document["status"]["complete"], true);
}

async fn a_job_with_dead_chunks_is_waited_for_and_ends_incomplete(ground: &Ground) {
    let job = ground.job(JOB);
    ground.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let mut waiting = ground.spawn(&["submit", &job, "--wait"]);
    until_submitted(ground, &mut waiting).await;
    let run = ground.run(&["run", &job]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    let waited = ended(waiting).await;
    assert_eq!(waited.code, Some(3), "{waited:?}");
    assert!(waited.stdout.contains("fleet is incomplete"), "{waited:?}");
    assert!(waited.stdout.contains("missing: trades"), "{waited:?}");
}

async fn a_paused_job_is_waited_for_no_longer(ground: &Ground) {
    let job = ground.job(JOB);
    let mut waiting = ground.spawn(&["submit", &job, "--wait"]);
    until_submitted(ground, &mut waiting).await;
    ground
        .succeed(&["pause", "fleet", "--reason", "too early"])
        .await;
    let waited = ended(waiting).await;
    assert_eq!(waited.code, Some(3), "{waited:?}");
    assert!(
        waited.stdout.contains("the work stopped: too early"),
        "{waited:?}"
    );
}

async fn an_interrupt_ends_the_waiting_and_not_the_job(ground: &Ground) {
    let job = ground.job(JOB);
    let mut waiting = ground.spawn(&["submit", &job, "--wait"]);
    until_submitted(ground, &mut waiting).await;
    interrupt(&waiting).await;
    let waited = ended(waiting).await;
    assert_eq!(waited.code, Some(3), "{waited:?}");
    assert!(
        waited.stderr.contains("the waiting ended, the job did not"),
        "{waited:?}"
    );
    let status = ground.status_of("fleet").await;
    assert_eq!(
        (&status["state"], &status["chunks"]["pending"]),
        (&"pending".into(), &CHUNKS.into())
    );
}

async fn a_finished_job_is_watched_to_its_end(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    let watching = ground.spawn(&["watch", "fleet"]);
    let mut all = ground.spawn(&["watch"]);
    ground.succeed(&["run", &job]).await;
    let watched = ended(watching).await;
    assert_eq!(watched.code, Some(0), "{watched:?}");
    assert!(watched.stdout.ends_with("rows\n"), "{watched:?}");
    assert!(
        watched.stdout.contains("fleet (1): done, 3 of 3 chunks"),
        "{watched:?}"
    );

    // Nothing ends it but a signal, or a reader that goes away.
    assert!(all.try_wait().unwrap().is_none());
    interrupt(&all).await;
    assert_eq!(ended(all).await.code, Some(0));
}

async fn a_failure_is_a_line_with_its_reason_and_what_to_type(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    ground.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let mut watching = watch(ground, &["watch", "fleet"]);
    let first = line_of(&mut watching).await;
    assert!(first.starts_with("fleet (1): pending, 0 of 3"), "{first}");
    let run = ground.run(&["run", &job]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    let mut lines = Vec::new();
    while let Some(line) = watching.1.next_line().await.unwrap() {
        lines.push(line);
    }
    let failed = lines.iter().filter(|line| line.contains(" given up: "));
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.len(), 3, "{lines:#?}");
    for line in failed {
        assert!(line.starts_with("fleet (1): chunk "), "{line}");
        assert!(line.ends_with("; scheduler retry 1"), "{line}");
        assert!(line.contains("vendor counts"), "{line}");
    }
    assert_eq!(watching.0.wait().await.unwrap().code(), Some(3));

    // What failed before is no news to who comes later.
    let again = ground.run(&["watch", "fleet"]).await;
    assert_eq!(again.stdout.lines().count(), 1, "{again:?}");
}

type Watching = (Child, Lines<BufReader<ChildStdout>>);

fn watch(ground: &Ground, arguments: &[&str]) -> Watching {
    let mut child = ground.spawn(arguments);
    let stdout = child.stdout.take().unwrap();
    (child, BufReader::new(stdout).lines())
}

async fn line_of(watching: &mut Watching) -> String {
    let line = timeout(FOREVER, watching.1.next_line()).await;
    line.expect("it says something")
        .unwrap()
        .expect("it goes on")
}

#[tokio::test]
async fn a_database_that_comes_back_is_watched_on_in_lines() {
    let Some(mut ground) = Ground::fleet().await else {
        return;
    };
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let mut watching = watch(&ground, &["watch"]);
    let before = line_of(&mut watching).await;
    ground.servers_mut().postgres.kill();
    let away = line_of(&mut watching).await;
    assert!(away.starts_with("no answer"), "{away}");
    ground.servers_mut().postgres.restart();
    assert_eq!(line_of(&mut watching).await, before);
    interrupt(&watching.0).await;
    assert_eq!(watching.0.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_worker_takes_up_what_was_submitted() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let servers = ground.servers();
    let mut settings = ground.sandbox.settings(&ground.simulator.url());
    settings.database_url = servers.postgres.url();
    settings.redis_url = Some(servers.redis.url());
    let service = Service::prepare(settings, &ConfigFiles::CompiledIn).await;
    let told_to_stop = CancellationToken::new();
    let worker = tokio::spawn(service.unwrap().run(told_to_stop.clone()));
    let job = ground.job(JOB);
    let said = ground.succeed(&["submit", &job, "--wait"]).await;
    assert!(said.stdout.contains("fleet is complete"), "{said:?}");
    told_to_stop.cancel();
    assert!(worker.await.unwrap(), "it ended because it was told");
}
