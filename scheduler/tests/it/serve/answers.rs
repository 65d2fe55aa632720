//! What is told: of nothing, of a job, of a fleet; escaped; and when what it is told from is away.

use std::pin::pin;
use std::time::Duration;

use common::chunk::JobId;
use common::progress::{PREFIX, Progress, RunningChunk, WorkerPublisher};
use common::store::{Access, Moment, Store};
use serde_json::Value;
use simulator::{Fault, FaultKind};
use testkit::database::Database;

use super::Served;
use crate::fleet_commands::ground::{CHUNKS, Ground, JOB};

on_either_ground! {
    the_page_and_its_json_tell_what_status_does
}

async fn serve(ground: &Ground) -> Served {
    let mut command = ground.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BACKHAUL_BUDGET_USD", "25.00");
    Served::start(command).await
}

/// What was seen of the database, once that has answered.
async fn seen(served: &Served) -> Value {
    let is_seen = |told: &Value| told["database"] == "there" || told["database"] == "none";
    served.wait_for("/api/overview", is_seen).await
}

async fn the_page_and_its_json_tell_what_status_does(ground: &Ground) {
    ground.succeed(&["run", &ground.job(JOB)]).await;
    let served = serve(ground).await;
    let told = seen(&served).await;
    let status = ground.status_of("fleet").await;
    for (field, value) in status.as_object().unwrap() {
        if !["rules", "flagged_days"].contains(&field.as_str()) {
            assert_eq!(told["jobs"][0][field], *value, "{field}");
        }
    }
    assert_eq!(told["database"], "there");
    assert_eq!(told["jobs_total"], 1);
    assert_eq!(told["money"]["budget_usd"], "25.00");
    assert_eq!(told["money"]["settled_usd"], status["spent_usd"]);
    assert_eq!(told["workers"].is_null(), !ground.is_fleet());
    let sum = |field: &str| {
        let minutes = told["throughput"].as_array().unwrap();
        assert_eq!(minutes.len(), 60);
        minutes
            .iter()
            .map(|of| of[field].as_u64().unwrap())
            .sum::<u64>()
    };
    let settled = &status["chunks"];
    assert_eq!(
        Some(sum("chunks")),
        Some(settled["done"].as_u64().unwrap() + settled["empty"].as_u64().unwrap())
    );
    assert_eq!(Some(sum("rows")), status["records"]["loaded"].as_u64());
    let page = served.get("/").await.body;
    for word in ["All is well", "fleet", "100 %", "3 of"] {
        let plain = page
            .replace("<span class=\"quiet\">", "")
            .replace("</span>", "");
        assert!(plain.contains(word), "{word}: {page}");
    }
    served.end().await;
}

#[tokio::test]
async fn before_the_first_job_it_says_how_to_submit_one_and_sees_it_when_it_is_there() {
    let ground = Ground::one_machine().await;
    let served = serve(&ground).await;
    let told = seen(&served).await;
    assert_eq!(
        (&told["database"], &told["jobs"]),
        (&"none".into(), &Value::Array(Vec::new()))
    );
    assert!(
        served
            .get("/")
            .await
            .body
            .contains("scheduler submit JOB.yaml")
    );
    served.document("/api/coverage", 404).await;
    assert_eq!(
        served.document("/api/coverage/maps", 200).await["maps"],
        Value::Array(Vec::new())
    );
    assert_eq!(served.get("/readyz").await.status, 503);
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let told = served
        .wait_for("/api/overview", |told| told["jobs_total"] == 1)
        .await;
    assert_eq!(told["database"], "there");
    assert_eq!(told["jobs"][0]["chunks"]["pending"], CHUNKS);
    assert_eq!(told["well"], true, "it was submitted just now: {told:#}");
    assert_eq!(served.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_chunk_that_was_given_up_is_told_with_its_reason_and_the_command_that_helps() {
    let ground = Ground::one_machine().await;
    let mut fault = Fault::probability(FaultKind::CutAtFrame, 1.0);
    fault.date = Some("2024-01-09".to_owned());
    ground.fault(fault);
    let said = ground.run(&["run", &ground.job(JOB)]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let served = serve(&ground).await;
    let told = seen(&served).await;
    let failure = &told["failures"][0];
    assert_eq!(
        (&failure["state"], &failure["start"]),
        (&"dead".into(), &"2024-01-09".into())
    );
    assert_eq!(failure["next_try_at"], Value::Null);
    assert!(
        failure["error"].as_str().unwrap().contains("vendor counts"),
        "{failure}"
    );
    assert_eq!(told["concerns"][0]["command"], "scheduler retry 1");
    let page = served.get("/").await.body;
    assert!(page.contains("<code>scheduler retry 1</code>"), "{page}");
    ground.simulator.clear_faults();
    ground.succeed(&["retry", "1"]).await;
    ground.succeed(&["run", &ground.job(JOB)]).await;
    let told = served
        .wait_for("/api/overview", |told| told["well"] == true)
        .await;
    assert_eq!(told["failures"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_others_wrote_is_text_on_the_page_and_never_markup() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";
    let quoted = evil.replace('\'', "''");
    ground
        .database
        .execute_all(&format!(
            "UPDATE jobs SET name = '{quoted}', state = 'paused', reason = '{quoted}',
                 spec = replace(spec, 'ES.c.0', '<script>alert(3)</script>');
             UPDATE symbol_sets SET symbols = '[\"<script>alert(3)</script>\"]';
             UPDATE chunks SET state = 'dead', error = '{quoted}', failures = 1;"
        ))
        .await;
    let served = serve(&ground).await;
    served
        .wait_for("/api/coverage", |told| !told["rows"].is_null())
        .await;
    for path in ["/", "/live", "/?symbol=%3Cscript%3Ealert(4)%3C/script%3E"] {
        let page = served.get(path).await.body;
        assert!(page.contains("&lt;script&gt;alert"), "{path}: {page}");
        // The page's own script is the one that there is, and it has no text.
        assert!(!page.contains("<script>"), "{path}: {page}");
        assert!(!page.contains("<img"), "{path}: {page}");
        assert!(!page.contains(" style="), "{path}: {page}");
    }
    let told = seen(&served).await;
    assert_eq!(told["jobs"][0]["name"], evil);
}

#[tokio::test]
async fn a_fleets_workers_and_what_they_run_are_told() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let postgres = &ground.servers().postgres;
    let _ = postgres.psql("UPDATE chunks SET due_at = 1");
    let served = serve(&ground).await;
    let told = seen(&served).await;
    assert_eq!(told["workers"], Value::Array(Vec::new()));
    assert_eq!(
        told["concerns"][0]["what"],
        "no worker is heard of, and there is work"
    );

    let servers = ground.servers();
    let store = Store::open(&servers.postgres.url(), Access::Control)
        .await
        .unwrap()
        .unwrap();
    let due = store.due(JobId(1), 1, Moment::Now).await.unwrap();
    let lease = Duration::from_secs(300);
    let claim = store
        .claim(due[0], "w-1", lease, Moment::Now)
        .await
        .unwrap()
        .unwrap();
    let redis = common::redis::connect(&servers.redis.url()).await.unwrap();
    let mut publisher = WorkerPublisher::new(Progress::new(redis, PREFIX), "w-1");
    let now = store.now().await.unwrap();
    let running = RunningChunk {
        job: claim.chunk.job,
        chunk: claim.chunk.id,
        attempt: claim.epoch,
        stage: "fetching",
        records: 7,
        since: now,
    };
    publisher.publish(&[running], now).await.unwrap();
    let told = served
        .wait_for("/api/overview", |told| told["running"][0]["records"] == 7)
        .await;
    assert_eq!(told["workers"][0]["worker"], "w-1");
    assert_eq!(told["workers"][0]["running"], 1);
    assert_eq!(
        (&told["running"][0]["worker"], &told["running"][0]["stage"]),
        (&"w-1".into(), &"fetching".into())
    );
    assert_eq!(told["running"][0]["attempt"], 1);
    assert_eq!(told["well"], true, "{told:#}");
    let page = served.get("/").await.body;
    assert!(
        page.contains("fetching") && page.contains("by 1 worker"),
        "{page}"
    );
}

#[tokio::test]
async fn while_the_database_or_redis_is_away_the_page_says_so_and_comes_back() {
    let Some(mut ground) = Ground::fleet().await else {
        return;
    };
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let served = serve(&ground).await;
    served
        .wait_for("/api/overview", |told| told["database"] == "there")
        .await;
    ground.servers_mut().redis.kill();
    let away = |told: &Value| {
        let mut concerns = told["concerns"].as_array().unwrap().iter();
        told["workers"].is_null()
            && concerns.any(|of| of["what"].as_str().unwrap().contains("Redis"))
    };
    served.wait_for("/api/overview", away).await;
    ground.servers_mut().redis.restart();
    served
        .wait_for("/api/overview", |told| told["workers"].is_array())
        .await;

    ground.servers_mut().postgres.kill();
    let told = served
        .wait_for("/api/overview", |told| told["database"] == "away")
        .await;
    assert_eq!(told["well"], false);
    // What was seen last stays, and is said to be old.
    assert_eq!(told["jobs"][0]["name"], "fleet");
    let page = served.get("/").await.body;
    assert!(
        page.contains("The database doesn't answer. What follows is of"),
        "{page}"
    );
    ground.servers_mut().postgres.restart();
    served
        .wait_for("/api/overview", |told| told["database"] == "there")
        .await;
}

#[tokio::test]
async fn a_slow_database_is_not_called_away() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let served = serve(&ground).await;
    seen(&served).await;
    // Longer than an answer waits, and not so long as nothing that lives takes.
    let slow = "BEGIN; LOCK TABLE jobs; SELECT pg_sleep(4); COMMIT";
    let database = Database::OnServer(ground.servers().postgres.url());
    let mut slow = pin!(database.execute_all(slow));
    loop {
        tokio::select! {
            () = &mut slow => break,
            told = served.document("/api/overview", 200) => {
                assert_eq!(told["database"], "there");
                assert_eq!(told["jobs"][0]["name"], "fleet");
            }
        }
    }
}
