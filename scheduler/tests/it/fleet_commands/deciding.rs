//! Pause, resume, cancel and retry: what they change, what they say, and whom they mean.

use simulator::{Fault, FaultKind};

use super::ground::{CHUNKS, Ground, JOB};
use crate::installation::said;

on_either_ground! {
    a_paused_job_says_why_until_it_is_resumed
    a_cancelled_job_is_finished_with
    a_retry_takes_up_what_was_given_up
    a_job_that_is_done_is_neither_paused_nor_cancelled
    a_name_that_several_jobs_have_is_refused_with_their_numbers
    a_run_is_paused_from_beside_it
}

async fn a_paused_job_says_why_until_it_is_resumed(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    let said = ground.succeed(&["resume", "fleet"]).await;
    assert!(said.stdout.contains("not paused"), "{said:?}");
    let said = ground
        .succeed(&["pause", "fleet", "--reason", "month's end"])
        .await;
    assert!(
        said.stdout.contains("fleet (1) is paused: 3 pending"),
        "{said:?}"
    );
    let status = ground.status_of("fleet").await;
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&"paused".into(), &"month's end".into())
    );

    let said = ground.succeed(&["pause", "1"]).await;
    assert!(
        said.stdout.contains("paused already (month's end)"),
        "{said:?}"
    );
    if ground.is_fleet() {
        ground.servers().redis.flush_all();
    }
    let said = ground.succeed(&["resume", "1"]).await;
    assert!(
        said.stdout.contains("fleet (1) goes on: 3 pending"),
        "{said:?}"
    );
    assert_eq!(ground.status_of("fleet").await["state"], "pending");
    if ground.is_fleet() {
        assert_eq!(ground.hints(), CHUNKS);
    }
}

async fn a_cancelled_job_is_finished_with(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    // Nobody can be asked: it isn't a terminal.
    let said = ground.succeed(&["cancel", "fleet"]).await;
    assert!(
        said.stdout.contains("fleet (1) is cancelled: 3 chunks"),
        "{said:?}"
    );
    let status = ground.status_of("fleet").await;
    assert_eq!(
        (&status["state"], &status["chunks"]["cancelled"]),
        (&"cancelled".into(), &CHUNKS.into())
    );

    for (command, answer) in [
        ("cancel", "cancelled already"),
        ("pause", "it was cancelled"),
        ("resume", "submit it again"),
        ("retry", "submit it again"),
    ] {
        let said = ground.succeed(&[command, "fleet"]).await;
        assert!(said.stdout.contains(answer), "{command}: {said:?}");
    }
    assert_eq!(ground.status_of("fleet").await, status);
    let said = ground.succeed(&["status", "fleet"]).await;
    assert!(said.stdout.contains("cancelled: an operator"), "{said:?}");
    let said = ground.run(&["watch", "fleet"]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
}

async fn a_retry_takes_up_what_was_given_up(ground: &Ground) {
    let job = ground.job(JOB);
    ground.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let said = ground.run(&["run", &job]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    assert_eq!(ground.status_of("fleet").await["chunks"]["dead"], CHUNKS);
    ground.simulator.clear_faults();

    let said = ground.succeed(&["retry", "fleet"]).await;
    assert!(
        said.stdout.contains("3 chunks will be tried again"),
        "{said:?}"
    );
    let status = ground.status_of("fleet").await;
    assert_eq!(
        (&status["state"], &status["chunks"]["pending"]),
        (&"pending".into(), &CHUNKS.into())
    );
    if ground.is_fleet() {
        assert_eq!(ground.hints(), CHUNKS);
    }
    ground.succeed(&["run", &job]).await;
    let said = ground.succeed(&["retry", "fleet"]).await;
    assert!(said.stdout.contains("no dead chunk"), "{said:?}");
}

async fn a_job_that_is_done_is_neither_paused_nor_cancelled(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["run", &job]).await;
    let status = ground.status_of("fleet").await;
    assert_eq!(status["state"], "done");
    for (command, answer) in [
        ("pause", "it is done"),
        ("cancel", "is done already"),
        ("resume", "it is done"),
    ] {
        let said = ground.succeed(&[command, "fleet"]).await;
        assert!(said.stdout.contains(answer), "{command}: {said:?}");
    }
    assert_eq!(ground.status_of("fleet").await, status);
}

async fn a_name_that_several_jobs_have_is_refused_with_their_numbers(ground: &Ground) {
    let job = ground.job(JOB);
    for symbols in ["symbols=[ES.c.0]", "symbols=[CL.c.0]"] {
        ground.succeed(&["submit", &job, "--set", symbols]).await;
    }
    for command in ["pause", "resume", "cancel", "retry", "watch"] {
        ground
            .refuse(&[command, "fleet"], &["several jobs", "1, 2"])
            .await;
        ground
            .refuse(&[command, "flete"], &["did you mean `fleet`?"])
            .await;
        ground
            .refuse(&[command, "99"], &["no job of this name or number"])
            .await;
    }
    ground.succeed(&["pause", "2"]).await;
    assert_eq!(ground.status_of("1").await["state"], "pending");
    assert_eq!(ground.status_of("2").await["state"], "paused");
}

async fn a_run_is_paused_from_beside_it(ground: &Ground) {
    let job = ground.job(JOB);
    ground.fault(Fault::probability(FaultKind::Stall, 1.0));
    let mut run = ground.command(&["run", &job]);
    let mut run = run
        .env("BACKHAUL_READ_TIMEOUT_SECONDS", "0.5")
        .spawn()
        .unwrap();
    while ground.data_requests().is_empty() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended by itself");
        tokio::task::yield_now().await;
    }
    ground.succeed(&["pause", "fleet"]).await;
    let ended = said(run.wait_with_output().await.unwrap());
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let status = ground.status_of("fleet").await;
    assert_eq!(
        (&status["state"], &status["chunks"]["pending"]),
        (&"paused".into(), &CHUNKS.into())
    );
    assert_eq!(status["chunks"]["running"], 0);

    ground.simulator.clear_faults();
    ground.succeed(&["run", &job]).await;
}

#[tokio::test]
async fn there_is_nothing_to_decide_about_where_there_is_no_database() {
    let ground = Ground::one_machine().await;
    for command in ["pause", "resume", "cancel", "retry", "watch"] {
        ground
            .refuse(
                &[command, "fleet"],
                &["no database yet", "scheduler submit"],
            )
            .await;
    }
    assert!(!ground.sandbox.database().exists());
}
