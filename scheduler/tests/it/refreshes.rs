//! Refresh as the data's owner meets it: what was rewritten is listed with its price, then swapped.

use serde_json::Value;
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;

use crate::installation::Installation;
use crate::quality::{JOB, assert_shows, json};

on_every_engine! {
    a_rewritten_day_is_listed_with_its_price_then_swapped_and_found_no_more
    a_day_that_is_no_longer_degraded_is_refreshed_and_told_to_be_the_same
    a_refresh_beyond_the_budget_ends_with_its_exit_code
}

async fn listed(installation: &Installation) -> Value {
    json(
        &installation
            .succeed(&["refresh", "quality", "--json"])
            .await,
    )
}

async fn a_rewritten_day_is_listed_with_its_price_then_swapped_and_found_no_more(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let before = installation.tables().await;
    let said = installation.succeed(&["refresh", "quality"]).await;
    assert_shows(&said.stdout, &["has rewritten none of its days"]);

    installation.fault(Fault::day(FaultKind::RevisedDay, "2024-01-04"));
    let requests = installation.data_requests().len();
    let document = listed(&installation).await;
    let chunks = document["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 2, "{document}");
    for chunk in chunks {
        assert_eq!(chunk["changed"][0]["day"], "2024-01-04");
        assert_eq!(chunk["changed"][0]["why"], "rewritten");
        let number = |name: &str| chunk[name].as_u64().unwrap();
        assert!(number("records_now") > number("records_before"));
        assert_ne!(chunk["cost_usd"], "0.00");
    }
    let said = installation.succeed(&["refresh", "quality"]).await;
    assert_shows(&said.stdout, &["rewritten", "--yes fetches and swaps them"]);
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.tables().await, before);

    let said = installation.succeed(&["refresh", "quality", "--yes"]).await;
    assert_shows(&said.stdout, &["2 of 2 chunks refreshed", "rows"]);
    assert_eq!(installation.data_requests().len(), requests + 2);
    assert_ne!(installation.tables().await, before);
    assert_eq!(
        listed(&installation).await["chunks"],
        Value::Array(Vec::new())
    );
    installation
        .succeed(&["status", "quality", "--proof"])
        .await;
    // The former answers are kept, and known.
    let said = installation.succeed(&["archive", "verify", "--json"]).await;
    assert_eq!(json(&said)["streams"], 6);
    assert_eq!(json(&said)["unknown"], Value::Array(Vec::new()));
}

async fn a_day_that_is_no_longer_degraded_is_refreshed_and_told_to_be_the_same(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    installation.fault(Fault {
        modified: Some("2024-01-05".to_owned()),
        ..Fault::day(FaultKind::Degraded, "2024-01-05")
    });
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let before = installation.tables().await;
    let document = listed(&installation).await;
    assert_eq!(document["chunks"], Value::Array(Vec::new()));
    installation.simulator.clear_faults();
    let document = listed(&installation).await;
    let chunks = document["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 2, "{document}");
    assert_eq!(chunks[0]["changed"][0]["why"], "no longer degraded");
    let said = installation.succeed(&["refresh", "quality", "--yes"]).await;
    assert_shows(&said.stdout, &["the same records"]);
    assert_eq!(installation.tables().await, before);
    assert_eq!(
        listed(&installation).await["chunks"],
        Value::Array(Vec::new())
    );
}

async fn a_refresh_beyond_the_budget_ends_with_its_exit_code(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let before = installation.tables().await;
    installation
        .execute("UPDATE jobs SET max_cost_nanousd = 1")
        .await;
    installation.fault(Fault::day(FaultKind::RevisedDay, "2024-01-04"));
    let requests = installation.data_requests().len();
    let said = installation.run(&["refresh", "quality", "--yes"]).await;
    assert_eq!(said.code, Some(5), "{said:#?}");
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.tables().await, before);
}
