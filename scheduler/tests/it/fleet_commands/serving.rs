//! `serve`: the figures of an installation, its health, and the fleet's reconciler.

use std::collections::BTreeSet;

use common::metrics::{ALL, ToldBy};
use testkit::scrape::{Scrape, get};
use tokio::time::Instant;

use super::ground::{CHUNKS, Ground, JOB};
use crate::serve::{ASK_EVERY, FOREVER, Served};

on_either_ground! {
    serve_tells_what_the_database_holds
}

async fn start(ground: &Ground) -> Served {
    let mut command = ground.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BACKHAUL_BUDGET_USD", "25.00");
    Served::start(command).await
}

/// Scrapes until it is as it should be.
async fn wait_for(served: &Served, what: &str, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
    let deadline = Instant::now() + FOREVER;
    loop {
        let scrape = Scrape::of(served.address).await;
        if wanted(&scrape) {
            return scrape;
        }
        assert!(Instant::now() < deadline, "{what}: {}", scrape.text);
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn wait_until_ready(served: &Served, status: u16, word: &str) {
    let deadline = Instant::now() + FOREVER;
    loop {
        let answer = get(served.address, "/readyz").await.unwrap();
        if answer.0 == status && answer.1.contains(word) {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn serve_tells_what_the_database_holds(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["run", &job]).await;
    let served = start(ground).await;
    let scrape = Scrape::of(served.address).await;
    scrape.check();
    let status = ground.status_of("fleet").await;
    for state in ["pending", "running", "done", "empty", "dead", "cancelled"] {
        let chunks = scrape.sum("backhaul_chunks", &[("state", state), ("schema", "trades")]);
        assert_eq!(chunks, status["chunks"][state].as_f64(), "{state}");
    }
    let settled = scrape.sum("backhaul_spend_usd", &[("kind", "settled")]);
    let spent: f64 = status["spent_usd"].as_str().unwrap().parse().unwrap();
    assert_eq!(settled, Some(spent));
    for (name, labels, value) in [
        ("backhaul_jobs", vec![("state", "done")], 1.0),
        ("backhaul_jobs", vec![], 1.0),
        ("backhaul_budget_usd", vec![], 25.0),
        ("backhaul_oldest_due_chunk_seconds", vec![], 0.0),
        ("backhaul_up", vec![("of", "database")], 1.0),
    ] {
        assert_eq!(scrape.sum(name, &labels), Some(value), "{}", scrape.text);
    }
    assert_eq!(names(&scrape), documented(ground.is_fleet()));
    assert_eq!(get(served.address, "/healthz").await.unwrap().0, 200);
    wait_until_ready(&served, 200, "ready").await;
    served.end().await;
}

fn names(scrape: &Scrape) -> BTreeSet<String> {
    scrape.names().into_iter().map(str::to_owned).collect()
}

/// What `serve` tells by the list of all metrics; of Redis only where there is one.
fn documented(fleet: bool) -> BTreeSet<String> {
    let told = ALL.iter().filter(|of| of.told_by != ToldBy::Worker);
    let of_redis = ["backhaul_queue_depth", "backhaul_workers"];
    let told = told.filter(|of| fleet || !of_redis.contains(&of.name));
    told.map(|of| of.name.to_owned()).collect()
}

#[tokio::test]
async fn what_is_away_is_told_to_be_away_and_no_old_figure_stands_for_it() {
    let Some(mut ground) = Ground::fleet().await else {
        return;
    };
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    ground.servers().redis.flush_all();
    let served = start(&ground).await;
    let chunks = f64::from(u32::try_from(CHUNKS).unwrap());
    // Nobody but its reconciler puts the hints in again.
    let there = |of: &Scrape| {
        of.sum("backhaul_queue_depth", &[]) == Some(chunks)
            && of.sum("backhaul_chunks", &[("state", "pending")]) == Some(chunks)
            && of.sum("backhaul_oldest_due_chunk_seconds", &[]) > Some(0.0)
    };
    let scrape = wait_for(&served, "all is there", there).await;
    assert_eq!(scrape.sum("backhaul_workers", &[]), Some(0.0));
    assert_eq!(
        scrape.sum("backhaul_last_success_timestamp_seconds", &[]),
        None
    );

    ground.servers_mut().postgres.kill();
    let away = |of: &Scrape| of.sum("backhaul_up", &[("of", "database")]) == Some(0.0);
    let scrape = wait_for(&served, "the database is away", away).await;
    assert_eq!(scrape.sum("backhaul_chunks", &[]), None);
    assert_eq!(scrape.sum("backhaul_queue_depth", &[]), Some(chunks));
    wait_until_ready(&served, 503, "the database doesn't answer").await;
    ground.servers_mut().postgres.restart();
    wait_for(&served, "all is there", there).await;

    ground.servers_mut().redis.kill();
    let away = |of: &Scrape| of.sum("backhaul_up", &[("of", "redis")]) == Some(0.0);
    let scrape = wait_for(&served, "Redis is away", away).await;
    assert_eq!(scrape.sum("backhaul_queue_depth", &[]), None);
    assert_eq!(scrape.sum("backhaul_workers", &[]), None);
    wait_until_ready(&served, 503, "Redis doesn't answer").await;
    assert_eq!(get(served.address, "/healthz").await.unwrap().0, 200);
    ground.servers_mut().redis.restart();
    wait_for(&served, "all is there", there).await;
    wait_until_ready(&served, 200, "ready").await;
}

#[tokio::test]
async fn serve_refuses_what_it_can_not_listen_at() {
    let ground = Ground::one_machine().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let words = ["BACKHAUL_SERVE_LISTEN", &*taken];
    ground.refuse(&["serve", "--listen", &taken], &words).await;
    ground
        .refuse(&["serve", "--listen", "8080"], &["invalid"])
        .await;
}

#[tokio::test]
async fn a_health_check_tells_whether_serve_lives() {
    let Some(mut ground) = Ground::fleet().await else {
        return;
    };
    let served = start(&ground).await;
    let address = served.address.to_string();
    let ask = ["serve", "--listen", &*address, "--health-check"];
    let said = ground.succeed(&ask).await;
    assert_eq!((said.stdout, said.stderr), (String::new(), String::new()));
    // By its settings, and at every interface; with servers that are away.
    ground.servers_mut().postgres.kill();
    ground.servers_mut().redis.kill();
    let mut command = ground.command(&["serve", "--health-check"]);
    let everywhere = format!("0.0.0.0:{}", served.address.port());
    command.env("BACKHAUL_SERVE_LISTEN", everywhere);
    assert_eq!(command.status().await.unwrap().code(), Some(0));

    served.end().await;
    let said = ground.run(&ask).await;
    assert_eq!(said.code, Some(1), "{said:#?}");
    let line = format!("error: no word of health from {address}: ");
    let is_one_line = said.stderr.lines().count() == 1;
    assert!(said.stderr.starts_with(&line) && is_one_line, "{said:#?}");
}
