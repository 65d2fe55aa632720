//! `/api/coverage`: a map as `coverage --json` tells it, in as many cells as are wanted.

use serde_json::Value;
use simulator::{Fault, FaultKind};
use tokio::time::Instant;

use super::{ASK_EVERY, FOREVER, Served};
use crate::fleet_commands::ground::{Ground, JOB};

on_either_ground! {
    a_map_is_the_one_that_coverage_tells
}

async fn serve(ground: &Ground) -> Served {
    Served::start(ground.command(&["serve", "--listen", "127.0.0.1:0"])).await
}

fn is_there(told: &Value) -> bool {
    !told["rows"].is_null()
}

async fn table_page(served: &Served) -> String {
    let page = served.get("/?dataset=GLBX.MDP3&schema=trades").await.body;
    let table = page.split("<noscript>").nth(2);
    table.expect("there is a table").to_owned()
}

fn cells(told: &Value, row: usize) -> &str {
    told["rows"][row]["cells"].as_str().unwrap()
}

async fn a_map_is_the_one_that_coverage_tells(ground: &Ground) {
    let mut fault = Fault::probability(FaultKind::CutAtFrame, 1.0);
    fault.date = Some("2024-01-09".to_owned());
    ground.fault(fault);
    let job = JOB
        .replace("[ES.c.0]", "[ES.c.0, CL.c.0]")
        .replace("2024-01-08", "2024-01-06");
    let file = ground.job(&job);
    let said = ground.run(&["run", &file]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let said = ground.succeed(&["coverage", "--json"]).await;
    let coverage: Value = serde_json::from_str(&said.stdout).unwrap();
    let served = serve(ground).await;
    let told = served.wait_for("/api/coverage", is_there).await;
    assert_eq!(told["days"], coverage["maps"][0]["days"]);
    assert_eq!(
        (&told["start"], &told["end"]),
        (&"2024-01-06".into(), &"2024-01-11".into())
    );
    assert_eq!(
        (&told["days_per_column"], &told["symbols_per_row"]),
        (&1.into(), &1.into())
    );
    let mut letters = String::new();
    for run in coverage["maps"][0]["symbols"][1]["runs"]
        .as_array()
        .unwrap()
    {
        let day = |field: &str| run[field].as_str().unwrap()[8..].parse::<usize>().unwrap();
        let letter = match run["state"].as_str().unwrap() {
            "data" => "D",
            "no_session" => "n",
            "failed" => "F",
            "not_listed" => "l",
            state => panic!("{state}"),
        };
        letters.push_str(&letter.repeat(day("end") - day("start")));
    }
    assert_eq!(
        (&told["rows"][1]["first"], cells(&told, 1)),
        (&"ES.c.0".into(), &*letters)
    );
    assert!(letters.contains('F') && letters.contains('D'), "{letters}");

    // Closer: one symbol's day; further: all of it in one cell, of which the worst is shown.
    let near = "/api/coverage?symbol=ES.c.0&start=2024-01-09&end=2024-01-10";
    let near = served.document(near, 200).await;
    assert_eq!(
        (near["rows"].as_array().unwrap().len(), cells(&near, 0)),
        (1, "F")
    );
    assert_eq!(
        (&near["first_symbol"], &near["symbols"]),
        (&1.into(), &1.into())
    );
    let far = served.document("/api/coverage?rows=1&columns=1", 200).await;
    assert_eq!(cells(&far, 0), "F");
    assert_eq!(
        (&far["rows"][0]["first"], &far["rows"][0]["last"]),
        (&"CL.c.0".into(), &"ES.c.0".into())
    );
    assert_eq!(
        (&far["days_per_column"], &far["symbols_per_row"]),
        (&5.into(), &2.into())
    );

    // The job's own map, and what is behind a day.
    let of_job = "/api/coverage/day?job=1&symbol=ES.c.0&day=2024-01-09";
    let day = served
        .wait_for(of_job, |told| !told["chunks"].is_null())
        .await;
    assert_eq!(day["state"], "failed");
    assert_eq!(
        (&day["chunks"][0]["state"], &day["chunks"][0]["job"]),
        (&"dead".into(), &1.into())
    );
    assert!(
        day["chunks"][0]["error"]
            .as_str()
            .unwrap()
            .contains("vendor counts"),
        "{day}"
    );

    // Without scripts there is a table of it, and links to the others.
    let page = table_page(&served).await;
    for part in ["class=\"cell s-failed\"", "job 1, fleet", "later half"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    // The map is gathered anew while somebody looks.
    ground.simulator.clear_faults();
    ground.succeed(&["run", &file]).await;
    let healed = |told: &Value| told["days"]["failed"] == 0;
    served.wait_for("/api/coverage", healed).await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_help() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let served = serve(&ground).await;
    served.wait_for("/api/coverage", is_there).await;
    for (address, error, help) in [
        ("schema=tradez", "schema", "write a schema"),
        (
            "schema=mbo",
            "nothing of this was asked for",
            "/api/coverage/maps",
        ),
        (
            "dataset=NOPE",
            "nothing of this was asked for",
            "/api/coverage/maps",
        ),
        (
            "job=7",
            "nothing of this was asked for",
            "/api/coverage/maps",
        ),
        ("job=x", "job", "a job's number"),
        ("symbol=ES.c.1", "no symbol", "did you mean `ES.c.0`?"),
        ("start=yesterday", "is no day", "2024-01-31"),
        (
            "start=2024-02-01",
            "none of these days",
            "it has the days from 2024-01-08 to 2024-01-10",
        ),
        (
            "start=2024-01-10&end=2024-01-10",
            "there is no day",
            "after the last",
        ),
        ("columns=401", "too many", "at most 400"),
        ("rows=-1", "rows", "a whole number"),
        (
            "colums=3",
            "nobody asks for that",
            "did you mean `columns`?",
        ),
    ] {
        let told = served
            .document(&format!("/api/coverage?{address}"), 400)
            .await;
        let text = |field: &str| told[field].as_str().unwrap().to_owned();
        assert!(text("error").contains(error), "{address}: {told}");
        assert!(text("help").contains(help), "{address}: {told}");
    }
    served
        .document("/api/coverage/day?symbol=ES.c.0", 400)
        .await;
    // A page with such an address still is one.
    let page = served.get("/?start=yesterday").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("is no day"), "{}", page.body);
}

#[tokio::test]
async fn more_maps_than_are_kept_are_looked_at_and_each_is_told_again_and_again() {
    const SCHEMAS: [&str; 5] = ["trades", "tbbo", "mbp-1", "ohlcv-1d", "ohlcv-1h"];
    let ground = Ground::one_machine().await;
    let job = JOB.replace("[trades]", &format!("[{}]", SCHEMAS.join(", ")));
    ground.succeed(&["submit", &ground.job(&job)]).await;
    let served = serve(&ground).await;
    let mut told = [0; SCHEMAS.len()];
    let deadline = Instant::now() + FOREVER;
    while told.iter().any(|times| *times < 3) {
        assert!(Instant::now() < deadline, "{told:?}");
        for (schema, times) in SCHEMAS.iter().zip(&mut told) {
            let answer = served.get(&format!("/api/coverage?schema={schema}")).await;
            assert!([200, 202].contains(&answer.status), "{}", answer.body);
            if answer.status == 200 {
                assert!(answer.body.contains(&format!("\"schema\":\"{schema}\"")));
                *times += 1;
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    let listed = served.document("/api/coverage/maps", 200).await;
    assert_eq!(listed["total"], 2 * SCHEMAS.len());
    assert_eq!(listed["maps"].as_array().unwrap().len(), 2 * SCHEMAS.len());
}

#[tokio::test]
async fn a_map_that_cannot_be_gathered_is_an_error_with_help_and_comes_back() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let database = &ground.database;
    database
        .execute_all("ALTER TABLE chunks RENAME TO hidden")
        .await;
    let served = serve(&ground).await;
    let told = served
        .wait_for("/api/coverage", |told| !told["error"].is_null())
        .await;
    assert_eq!(told["error"], "the map can't be gathered");
    assert!(told["help"].as_str().unwrap().contains("log"), "{told}");
    assert_eq!(served.get("/api/coverage").await.status, 503);
    database
        .execute_all("ALTER TABLE hidden RENAME TO chunks")
        .await;
    served.wait_for("/api/coverage", is_there).await;
}
