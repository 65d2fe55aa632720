//! What a user does, from the first command on.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind};
use testkit::checksum::scalar;

use crate::installation::Installation;

const JOB: &str = "
name: journey
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-10
chunking: {days: 1}
";

#[tokio::test]
async fn the_demo_loads_seven_schemas_and_the_second_run_asks_for_nothing() {
    let installation = Installation::synthetic().await;
    let folder = installation
        .sandbox
        .path()
        .join("demo")
        .display()
        .to_string();
    let demo = ["demo", "--data-dir", &folder, "--trades-per-day", "300"];
    let first = installation
        .command(&demo)
        .env_clear()
        .output()
        .await
        .unwrap();
    assert!(first.status.success(), "{first:?}");
    let text = String::from_utf8(first.stdout).unwrap();
    for schema in [
        "trades",
        "tbbo",
        "mbp-1",
        "ohlcv-1m",
        "statistics",
        "definition",
        "status",
    ] {
        assert!(
            text.contains(&format!("│ {schema} ")),
            "{schema} is missing in {text}"
        );
    }
    assert!(text.contains("demo is complete"), "{text}");

    let second = installation
        .command(&demo)
        .env_clear()
        .output()
        .await
        .unwrap();
    assert!(second.status.success(), "{second:?}");
    let text = String::from_utf8(second.stdout).unwrap();
    assert!(text.contains("no chunk was planned"), "{text}");
    assert!(text.contains("spent by this run: $0.00"), "{text}");
}

#[tokio::test]
async fn piped_a_run_names_job_chunk_attempt_and_worker_on_each_line_of_a_chunk() {
    let installation = Installation::synthetic().await;
    let said = installation.succeed(&["run", &installation.job(JOB)]).await;
    let lines = said.stderr.lines().map(|line| {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        line
    });
    let is_of_chunk = |line: &Value| line["message"].as_str().unwrap().contains(" chunk ");
    let of_chunks: Vec<_> = lines.filter(is_of_chunk).collect();
    assert!(!of_chunks.is_empty(), "{}", said.stderr);
    for line in of_chunks {
        let span = &line["span"];
        let (job, attempt) = (span["job"].as_i64(), span["attempt"].as_i64());
        assert_eq!((job, attempt), (Some(1), Some(1)), "{line}");
        let chunk = format!(" chunk {} ", span["chunk"]);
        assert!(line["message"].as_str().unwrap().contains(&chunk), "{line}");
        assert!(span["worker"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_plan_changes_nothing_and_says_what_a_run_will_do() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let said = installation.succeed(&["plan", &job, "--json"]).await;
    assert!(!installation.sandbox.database().exists());
    assert_eq!(installation.data_requests(), []);
    let plan: Value = serde_json::from_str(&said.stdout).unwrap();
    let list = plan["list"].as_array().unwrap();
    assert_eq!(plan["chunks"], list.len());
    assert_eq!(plan["covered_chunks"], 0);
    let listed: u64 = list
        .iter()
        .map(|entry| entry["records"].as_u64().unwrap())
        .sum();
    assert_eq!(plan["records"], listed);
    assert_eq!(list[0]["symbols"], json!(["CL.c.0", "ES.c.0"]));

    installation.succeed(&["run", &job]).await;
    let status = installation.status().await;
    assert_eq!(status["records"]["loaded"], plan["records"]);
    assert_eq!(status["bytes_received"], plan["bytes"]);
    assert_eq!(status["spent_usd"], plan["cost_usd"]);
    assert_eq!(status["chunks"]["total"], plan["chunks"]);

    let again = installation.succeed(&["plan", &job, "--json"]).await;
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["chunks"], 0);
    assert_eq!(again["cost_usd"], "0.00");
    assert_eq!(again["covered_chunks"], plan["chunks"]);
}

#[tokio::test]
async fn what_was_billed_is_what_is_booked() {
    let installation = Installation::synthetic().await;
    installation.fault(Fault::next(FaultKind::CutInFrame, 3));
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let billed: u64 = installation
        .data_requests()
        .iter()
        .map(|request| request.bytes)
        .sum();
    let status = installation.status().await;
    let booked = status["bytes_received"].as_u64().unwrap();
    // Of a stream that was cut inside a frame, what was sent can't be read to the last byte.
    assert!(booked <= billed, "{booked} of {billed}");
    let records: u64 = scalar::<i64>(
        &installation.sandbox.database(),
        "SELECT sum(billable_bytes) FROM archive_objects",
    )
    .await
    .try_into()
    .unwrap();
    assert!(
        booked > records,
        "the failed attempts were not booked: {booked} of {records}"
    );
}

#[tokio::test]
async fn a_contract_that_a_continuous_symbol_brought_is_not_paid_again() {
    let installation = Installation::synthetic().await;
    let job = |name: &str, symbol: &str, stype: &str| {
        installation.job(&format!(
            "{{name: {name}, dataset: GLBX.MDP3, schemas: [trades], symbols: [{symbol}], \
             stype_in: {stype}, start: 2024-01-08, end: 2024-01-10, chunking: {{days: 1}}}}"
        ))
    };
    installation
        .succeed(&["run", &job("front", "ES.c.0", "continuous")])
        .await;
    let (tables, requests) = (
        installation.tables().await,
        installation.data_requests().len(),
    );
    assert_eq!(requests, 2);
    installation
        .succeed(&["run", &job("march", "ESH4", "raw_symbol")])
        .await;
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(
        installation.tables().await["trades_data"],
        tables["trades_data"]
    );

    // The parent brings the same contract among others: its records are counted as covered.
    let parent = installation.job(
        "{name: parent, dataset: GLBX.MDP3, schemas: [trades], symbols: [ES.FUT], \
         stype_in: parent, start: 2024-01-08, end: 2024-01-10, chunking: {days: 1}}",
    );
    installation.succeed(&["run", &parent]).await;
    let said = installation.succeed(&["status", "parent", "--json"]).await;
    let status: Value = serde_json::from_str(&said.stdout).unwrap();
    let records = &status["jobs"][0]["records"];
    assert_eq!(status["jobs"][0]["complete"], true);
    assert_eq!(records["covered"], tables["trades_data"].rows);
    assert!(records["loaded"].as_u64() > Some(0), "{records}");
    let doubled: i64 = scalar(
        &installation.sandbox.database(),
        "SELECT count(*) FROM coverage AS a JOIN coverage AS b ON a.instrument_id = b.instrument_id
             AND a.schema = b.schema AND a.chunk_id < b.chunk_id
             AND a.start_ns < b.end_ns AND b.start_ns < a.end_ns",
    )
    .await;
    assert_eq!(doubled, 0);
}

#[tokio::test]
async fn a_job_above_its_limit_is_refused_and_asks_for_nothing() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let said = installation
        .run(&["run", &job, "--max-cost", "0.000001"])
        .await;
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.stderr.contains("limit"), "{said:?}");
    assert_eq!(installation.data_requests(), []);
}

#[tokio::test]
async fn failed_attempts_never_spend_past_the_limit() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let said = installation.succeed(&["plan", &job, "--json"]).await;
    let plan: Value = serde_json::from_str(&said.stdout).unwrap();
    let cost = plan["cost_usd"].as_str().unwrap();
    installation.fault(Fault::probability(FaultKind::CutInRecord, 0.7));
    let said = installation.run(&["run", &job, "--max-cost", cost]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let status = installation.status().await;
    assert_eq!(status["state"], "paused");
    let limit: f64 = cost.parse().unwrap();
    let spent: f64 = status["spent_usd"].as_str().unwrap().parse().unwrap();
    assert!(spent <= limit, "{spent} of {limit}");

    installation.simulator.clear_faults();
    installation
        .succeed(&["run", &job, "--max-cost", "100"])
        .await;
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn the_demo_and_real_records_never_mix() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let folder = installation.sandbox.path().display().to_string();
    let said = installation.run(&["demo", "--data-dir", &folder]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("must not mix"), "{said:?}");

    // Neither does a plan take synthetic records for real ones.
    let demo = installation
        .sandbox
        .path()
        .join("demo")
        .display()
        .to_string();
    installation
        .succeed(&["demo", "--data-dir", &demo, "--trades-per-day", "10"])
        .await;
    for command in ["plan", "run"] {
        let url = format!("sqlite://{demo}/backhaul.db");
        let said = installation
            .run(&[command, &job, "--database-url", &url])
            .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains("must not mix"), "{said:?}");
    }
}

#[tokio::test]
async fn the_demos_archive_is_no_answer_for_a_real_job() {
    let installation = Installation::synthetic().await;
    let folder = installation.sandbox.path().display().to_string();
    let demo = ["demo", "--data-dir", &folder, "--trades-per-day", "10"];
    installation.succeed(&demo).await;
    std::fs::remove_file(installation.sandbox.database()).unwrap();
    let said = installation.succeed(&["run", "demo"]).await;
    assert!(said.stdout.contains("demo is complete"), "{said:?}");
    assert!(!installation.data_requests().is_empty());
}

#[tokio::test]
async fn days_that_the_vendor_lacks_yet_stay_pending_and_come_later() {
    let installation = Installation::with(simulator::Config {
        trades_per_day: 100,
        available_end: Some("2024-01-06".to_owned()),
        ..simulator::Config::default()
    })
    .await;
    let job = installation.job(JOB);
    let said = installation.run(&["run", &job]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let status = installation.status().await;
    assert_eq!(status["complete"], false);
    assert!(status["chunks"]["pending"].as_u64() > Some(0), "{status}");
    assert!(status["chunks"]["done"].as_u64() > Some(0), "{status}");
    assert_eq!(status["chunks"]["dead"], 0);
}

#[tokio::test]
async fn a_day_that_the_vendor_has_not_published_is_not_taken_for_an_empty_one() {
    for chunking in ["{days: 1}", "{days: 30}", "{records: 1_000_000}"] {
        let installation = Installation::synthetic().await;
        installation.fault(Fault::day(FaultKind::Pending, "2024-01-09"));
        let job = installation.job(&JOB.replace("{days: 1}", chunking));
        let said = installation.run(&["run", &job]).await;
        assert_eq!(said.code, Some(3), "{chunking}: {said:?}");
        assert!(
            said.stdout.contains("2024-01-09 is pending"),
            "{chunking}: {said:?}"
        );
        let status = installation.status().await;
        assert_eq!(status["complete"], false, "{chunking}");
        assert_eq!(status["chunks"]["dead"], 0, "{chunking}");
        assert!(status["records"]["loaded"].as_u64() > Some(0), "{chunking}");
    }
}

#[tokio::test]
async fn an_interrupted_job_is_planned_with_what_it_left_open() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let said = installation.succeed(&["plan", &job, "--json"]).await;
    let whole: Value = serde_json::from_str(&said.stdout).unwrap();
    installation.fault(Fault::probability(FaultKind::Unauthorized, 1.0).on_path("get_range"));
    installation.run(&["run", &job]).await;
    installation.simulator.clear_faults();
    let said = installation.succeed(&["plan", &job, "--json"]).await;
    let rest: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(rest["cost_usd"], whole["cost_usd"]);
    assert_eq!(rest["records"], whole["records"]);
}

#[tokio::test]
async fn what_another_job_loaded_meanwhile_is_not_paid_again() {
    let installation = Installation::synthetic().await;
    let named =
        |name: &str| installation.job(&JOB.replace("name: journey", &format!("name: {name}")));
    installation.fault(Fault::probability(FaultKind::Unauthorized, 1.0).on_path("get_range"));
    installation.run(&["run", &named("first")]).await;
    installation.simulator.clear_faults();
    // The second asks for one symbol alone: its streams are no answer to the first's requests.
    let one = JOB
        .replace("name: journey", "name: es")
        .replace("[ES.c.0, CL.c.0]", "[ES.c.0]");
    installation
        .succeed(&["run", &installation.job(&one)])
        .await;
    let other = one
        .replace("name: es", "name: cl")
        .replace("ES.c.0", "CL.c.0");
    installation
        .succeed(&["run", &installation.job(&other)])
        .await;
    let (tables, requests) = (
        installation.tables().await,
        installation.data_requests().len(),
    );
    installation.succeed(&["run", &named("first")]).await;
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(
        installation.tables().await["trades_data"],
        tables["trades_data"]
    );
    let said = installation.succeed(&["status", "first", "--json"]).await;
    let status: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(status["jobs"][0]["complete"], true, "{status}");
}

#[tokio::test]
async fn a_refused_key_leaves_finished_jobs_finished() {
    let installation = Installation::synthetic().await;
    installation.succeed(&["run", &installation.job(JOB)]).await;
    installation.fault(Fault::next(FaultKind::Unauthorized, 1).on_path("get_range"));
    let other = JOB
        .replace("name: journey", "name: other")
        .replace("trades, ohlcv-1d", "tbbo");
    installation.run(&["run", &installation.job(&other)]).await;
    let said = installation.succeed(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(status["jobs"][0]["state"], "done", "{status}");
    assert_eq!(status["jobs"][1]["state"], "paused", "{status}");
}

#[tokio::test]
async fn a_closed_stderr_does_not_end_the_work() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = installation.command(&["run", &job]);
    let output = command.stderr(full).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn definitions_of_a_continuous_symbol_are_those_of_its_contracts() {
    let installation = Installation::synthetic().await;
    let job = installation.job(
        "{name: what, dataset: GLBX.MDP3, schemas: [definition], symbols: [ES.c.0, CL.c.0], \
         stype_in: continuous, start: 2024-01-04, end: 2024-01-06, chunking: {days: 1}}",
    );
    installation.succeed(&["run", &job]).await;
    let status = installation.status().await;
    assert_eq!(status["complete"], true, "{status}");
    // Two contracts on two days, of the many that were asked for.
    assert_eq!(status["records"]["loaded"], 4, "{status}");
    let symbols: String = scalar(
        &installation.sandbox.database(),
        "SELECT group_concat(raw_symbol) FROM
             (SELECT DISTINCT raw_symbol FROM definitions_data ORDER BY raw_symbol)",
    )
    .await;
    assert_eq!(symbols, "CLG4,ESH4");
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.data_requests().len(), 2);
}

#[tokio::test]
async fn all_symbols_are_one_slice_that_stands_for_every_instrument() {
    let installation = Installation::synthetic().await;
    let text = "{name: all, dataset: XNAS.ITCH, schemas: [trades], symbols: ALL_SYMBOLS, \
                start: 2024-01-04, end: 2024-01-06, chunking: {days: 1}}";
    let job = installation.job(text);
    installation.succeed(&["run", &job]).await;
    let requests = installation.data_requests().len();
    assert_eq!(requests, 2);
    let one = installation.job(
        "{name: spy, dataset: XNAS.ITCH, schemas: [trades], symbols: [SPY], \
         start: 2024-01-04, end: 2024-01-06, chunking: {days: 1}}",
    );
    installation.succeed(&["run", &one]).await;
    assert_eq!(installation.data_requests().len(), requests);
}

#[tokio::test]
async fn two_runs_at_once_on_one_database_are_refused() {
    let installation = Installation::synthetic().await;
    installation.fault(Fault {
        seconds: Some(3600.0),
        ..Fault::next(FaultKind::Latency, 1)
    });
    let job = installation.job(JOB);
    let mut first = installation.spawn(&["run", &job]);
    while !installation
        .sandbox
        .database()
        .with_extension("db.lock")
        .exists()
        || installation.simulator.requests().is_empty()
    {
        tokio::task::yield_now().await;
    }
    let said = installation.run(&["run", &job]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("another process"), "{said:?}");
    first.kill().await.unwrap();
}

/// Peak memory in MiB, as the report prints it.
fn peak_memory(report: &str) -> u64 {
    let (_, rest) = report
        .split_once("peak memory ")
        .expect("the report tells the peak");
    let (number, _) = rest.split_once(" MiB").expect("in MiB");
    number.parse().unwrap()
}

#[tokio::test]
async fn five_million_trades_of_a_day_need_no_more_memory_than_few() {
    let mut peaks = Vec::new();
    for trades_per_day in [10_000, 5_300_000] {
        let installation = Installation::with(simulator::Config {
            trades_per_day,
            strikes: 2,
            ..simulator::Config::default()
        })
        .await;
        let job = installation.job(
            "{name: large, dataset: GLBX.MDP3, schemas: [trades], symbols: [ES.c.0], \
             stype_in: continuous, start: 2024-01-08, end: 2024-01-09}",
        );
        let said = installation.succeed(&["run", &job]).await;
        peaks.push(peak_memory(&said.stdout));
    }
    println!("peak memory in MiB: {peaks:?}");
    // The database's cache fills up to its limit; a chunk that were held whole would take more.
    assert!(peaks[1] < peaks[0] + 64, "{peaks:?}");
    assert!(peaks[1] < 256, "{peaks:?}");
}
