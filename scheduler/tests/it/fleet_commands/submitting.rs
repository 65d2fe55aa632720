//! Submitting: once is enough, twice is as once, and Redis is only told.

use serde_json::Value;

use super::ground::{CHUNKS, Ground, JOB};

on_either_ground! {
    a_job_that_is_submitted_twice_is_as_one
    a_job_above_its_limit_is_refused_before_it_is_submitted
    what_was_submitted_is_told_as_json
    a_cancelled_job_that_is_submitted_again_is_worked_off
}

async fn a_job_that_is_submitted_twice_is_as_one(ground: &Ground) {
    let job = ground.job(JOB);
    let first = ground.succeed(&["submit", &job]).await;
    assert!(
        first.stdout.contains("job 1 (fleet): 3 chunks added"),
        "{first:?}"
    );
    let run = "`scheduler run";
    assert_eq!(first.stdout.contains(run), !ground.is_fleet(), "{first:?}");
    let status = ground.status_of("fleet").await;
    assert_eq!(status["state"], "pending");
    assert_eq!(status["chunks"]["pending"], CHUNKS);

    let second = ground.succeed(&["submit", &job]).await;
    assert!(second.stdout.contains("0 chunks added"), "{second:?}");
    assert!(second.stdout.contains("submitted before"), "{second:?}");
    assert_eq!(ground.status_of("fleet").await, status);
    if ground.is_fleet() {
        assert_eq!(ground.hints(), CHUNKS);
    }
    assert_eq!(ground.data_requests(), []);
}

async fn a_job_above_its_limit_is_refused_before_it_is_submitted(ground: &Ground) {
    let job = ground.job(JOB);
    for limit in [
        ["--max-cost", "0.000001"],
        ["--set", "max_cost_usd=0.000001"],
    ] {
        let said = ground.run(&["submit", &job, limit[0], limit[1]]).await;
        assert_eq!(said.code, Some(5), "{said:?}");
        assert!(said.stderr.contains("its limit is $"), "{said:?}");
    }
    let said = ground.succeed(&["status", "--json"]).await;
    assert!(said.stdout.contains("\"jobs\": []"), "{said:?}");
}

async fn what_was_submitted_is_told_as_json(ground: &Ground) {
    let job = ground.job(JOB);
    let said = ground.succeed(&["submit", &job, "--json"]).await;
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["job"], 1);
    assert_eq!(document["chunks_added"], CHUNKS);
    assert_eq!(
        document["records"],
        ground.status_of("1").await["records"]["expected"]
    );
    assert_eq!(
        document["hints"].as_u64(),
        ground.is_fleet().then_some(CHUNKS)
    );
}

async fn a_cancelled_job_that_is_submitted_again_is_worked_off(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    ground.succeed(&["cancel", "fleet"]).await;
    let said = ground.succeed(&["submit", &job]).await;
    assert!(said.stdout.contains("3 chunks added"), "{said:?}");
    assert!(said.stdout.contains("it was cancelled"), "{said:?}");
    ground.succeed(&["run", &job]).await;
}

#[tokio::test]
async fn a_redis_that_is_away_is_a_warning_and_no_more() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let job = ground.job(JOB);
    let away = ["--redis-url", "redis://me:secret-word@127.0.0.1:1"];
    let said = ground.succeed(&["submit", &job, away[0], away[1]]).await;
    assert!(said.stderr.contains("REDIS_URL"), "{said:?}");
    assert!(said.stderr.contains("workers find the chunks"), "{said:?}");
    assert!(!said.stderr.contains("secret-word"), "{said:?}");
    assert_eq!(ground.status_of("fleet").await["chunks"]["pending"], CHUNKS);
    assert_eq!(ground.hints(), 0);

    let mut command = ground.command(&["submit", &job]);
    let output = command.env_remove("REDIS_URL").output().await.unwrap();
    let said = crate::installation::said(output);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("REDIS_URL is not set"), "{said:?}");
}

#[tokio::test]
async fn what_redis_lost_is_put_in_again_by_a_reconcile() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    let said = ground.succeed(&["reconcile"]).await;
    assert!(said.stdout.contains("0 missing hints put"), "{said:?}");
    ground.servers().redis.flush_all();
    let said = ground.succeed(&["reconcile"]).await;
    assert!(said.stdout.contains("3 missing hints put"), "{said:?}");
    assert_eq!(ground.hints(), CHUNKS);
    let redis = &ground.servers().redis;
    let pending = redis.cli(&["HGET", "backhaul:job:1", "chunks_pending"]);
    assert_eq!(pending.trim(), "3");

    let away = ["reconcile", "--redis-url", "redis://127.0.0.1:1"];
    let said = ground.run(&away).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("REDIS_URL"), "{said:?}");
}

#[tokio::test]
async fn a_reconcile_needs_the_address_of_a_fleets_redis() {
    let machine = Ground::one_machine().await;
    let said = machine.succeed(&["reconcile"]).await;
    assert!(said.stdout.contains("nothing to repair"), "{said:?}");
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let mut command = ground.command(&["reconcile"]);
    let output = command.env_remove("REDIS_URL").output().await.unwrap();
    let said = crate::installation::said(output);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("REDIS_URL"), "{said:?}");
}
