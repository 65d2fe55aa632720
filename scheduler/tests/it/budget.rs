//! Budgets, as a user meets them: refused before, paused meanwhile, told at any time.

use common::money::Usd;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;

use crate::installation::{Installation, Said, said};
use crate::quality::assert_shows;

const JOB: &str = "
name: spending
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-10
chunking: {days: 1}
";

on_every_engine! {
    a_job_above_what_is_left_of_the_month_is_refused_with_both_figures
    a_running_job_pauses_at_the_months_budget_and_goes_on_with_a_higher_one
    what_is_spent_is_told_by_job_month_and_dataset
    what_the_archive_has_costs_nothing
}

/// Runs a command with a budget for the month.
async fn within(installation: &Installation, budget: Usd, arguments: &[&str]) -> Said {
    let mut command = installation.command(arguments);
    command.env("BACKHAUL_BUDGET_USD", budget.to_string());
    said(command.output().await.unwrap())
}

async fn json(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.succeed(arguments).await;
    serde_json::from_str(&said.stdout).unwrap()
}

fn dollars(amount: &Value) -> Usd {
    amount.as_str().unwrap().parse().unwrap()
}

fn a_billionth_less(amount: Usd) -> Usd {
    Usd(amount.0 - 1)
}

async fn planned_cost(installation: &Installation, job: &str) -> Usd {
    dollars(&json(installation, &["plan", job, "--json"]).await["cost_usd"])
}

async fn a_job_above_what_is_left_of_the_month_is_refused_with_both_figures(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    let cost = planned_cost(&installation, &job).await;
    let budget = a_billionth_less(cost);
    for command in ["run", "submit"] {
        let said = within(&installation, budget, &[command, &job]).await;
        assert_eq!(said.code, Some(5), "{said:?}");
        let parts = [
            format!("would cost ${cost}"),
            format!("${budget} are left of the budget of ${budget}"),
            "BACKHAUL_BUDGET_USD".to_owned(),
            "is not counted".to_owned(),
        ];
        assert_shows(&said.stderr, &parts.each_ref().map(String::as_str));
    }
    let said = within(&installation, budget, &["plan", &job]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_shows(&said.stdout, &["it would be refused"]);
    assert_eq!(installation.data_requests(), []);

    // Exactly as much is enough; and then nothing is left for another.
    let said = within(&installation, cost, &["run", &job]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let other = JOB.replace("spending", "other").replace("ES.c.0, CL", "NQ");
    let other = installation.job(&other);
    let said = within(&installation, cost, &["run", &other]).await;
    assert_eq!(said.code, Some(5), "{said:?}");
    assert_shows(&said.stderr, &["$0.00 are left"]);
}

async fn a_running_job_pauses_at_the_months_budget_and_goes_on_with_a_higher_one(engine: &Engine) {
    let undisturbed = Installation::synthetic_on(&Engine::Sqlite).await;
    let job = undisturbed.job(JOB);
    undisturbed.succeed(&["run", &job]).await;

    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    let budget = planned_cost(&installation, &job).await;
    installation.fault(Fault::probability(FaultKind::CutInRecord, 0.7));
    let said = within(&installation, budget, &["run", &job]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let status = installation.status().await;
    assert_eq!(status["state"], "paused");
    let reason = status["reason"].as_str().unwrap();
    let parts = ["the installation's budget for 20", "scheduler resume 1"];
    assert_shows(reason, &parts);
    let shown = installation.succeed(&["status"]).await.stdout;
    assert_shows(&shown, &["paused:", "Nothing is lost"]);
    assert!(dollars(&status["spent_usd"]) <= budget, "{status}");

    installation.simulator.clear_faults();
    let resumed = installation.succeed(&["resume", "spending"]).await;
    assert_shows(&resumed.stdout, &["goes on"]);
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.status().await["complete"], true);
    if matches!(engine, Engine::Sqlite) {
        assert_eq!(installation.tables().await, undisturbed.tables().await);
    }
}

async fn what_is_spent_is_told_by_job_month_and_dataset(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let empty = installation.succeed(&["spend"]).await.stdout;
    assert_shows(&empty, &["nothing was spent", "no budget is set"]);
    let job = installation.job(JOB);
    let cost = planned_cost(&installation, &job).await;
    installation.succeed(&["run", &job]).await;

    let told = json(&installation, &["spend", "--json"]).await;
    let month = told["this_month"]["month"].as_str().unwrap().to_owned();
    let spent = told["spending"][0].clone();
    let bytes = installation
        .data_requests()
        .into_iter()
        .map(|sent| sent.bytes);
    let bytes: u64 = bytes.sum();
    let settled = cost.to_string();
    let wanted = json!({
        "job": 1, "name": "spending", "month": spent["month"], "dataset": "GLBX.MDP3",
        "reserved_usd": "0.00", "settled_usd": settled, "saved_usd": "0.00", "bytes": bytes,
    });
    assert_eq!(spent, wanted);
    let total = json!({
        "reserved_usd": "0.00", "settled_usd": settled, "saved_usd": "0.00", "bytes": bytes,
    });
    assert_eq!(told["total"], total);
    assert_eq!(told["this_month"]["budget_usd"], Value::Null);

    let budget = Usd(cost.0 + 10_000_000);
    let said = within(&installation, budget, &["spend", "spending"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    // The month may have ended since.
    if spent["month"] == month.as_str() {
        let left =
            format!("{month}: ${cost} of the budget of ${budget} are spent or reserved, $0.01");
        assert_shows(&said.stdout, &["GLBX.MDP3", "total", &left]);
    }
    let unknown = installation.run(&["spend", "spendin"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_shows(&unknown.stderr, &["did you mean `spending`?"]);
}

async fn what_the_archive_has_costs_nothing(engine: &Engine) {
    let first = Installation::synthetic_on(&Engine::Sqlite).await;
    let job = first.job(JOB);
    let cost = planned_cost(&first, &job).await;
    first.succeed(&["run", &job]).await;
    let asked = first.data_requests().len();

    // Another database, the same archive.
    let database = engine.database(&first.sandbox).await;
    if matches!(engine, Engine::Sqlite) {
        std::fs::remove_file(first.sandbox.database()).unwrap();
    }
    let again = Installation { database, ..first };
    let plan = json(&again, &["plan", &job, "--json"]).await;
    let zero = json!("0.00");
    assert_eq!(
        (&plan["cost_usd"], dollars(&plan["saved_usd"])),
        (&zero, cost)
    );
    assert_eq!(plan["list"][0]["archived"], true);
    let plan = again.succeed(&["plan", &job]).await.stdout;
    let saving = format!("$0.00 (the archive saves ${cost})");
    assert_shows(&plan, &["archived", &saving]);

    // Neither a limit nor a budget keeps it from what costs nothing.
    let arguments = ["run", &job, "--max-cost", "0"];
    let said = within(&again, Usd(0), &arguments).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_shows(&said.stderr, &[&saving]);
    assert_eq!(again.data_requests().len(), asked, "nothing is paid again");
    let told = json(&again, &["spend", "--json"]).await;
    assert_eq!(dollars(&told["total"]["saved_usd"]), cost);
    assert_eq!(told["total"]["settled_usd"], "0.00");
    // The price stays in the ledger: a stream that is lost has to be reserved for.
    let prices = "SELECT sum(cost_nanousd) FROM chunks";
    assert_eq!(again.database.scalar::<i64>(prices).await, cost.0);
}

#[tokio::test]
async fn a_budget_that_is_no_amount_is_refused() {
    let installation = Installation::synthetic().await;
    let mut command = installation.command(&["spend"]);
    command.env("BACKHAUL_BUDGET_USD", "ten");
    let said = said(command.output().await.unwrap());
    assert_eq!(said.code, Some(2), "{said:?}");
    let parts = [
        "BACKHAUL_BUDGET_USD",
        "not an amount",
        "write for example 25.00",
    ];
    assert_shows(&said.stderr, &parts);
}

#[tokio::test]
async fn what_a_job_has_spent_counts_against_its_limit_when_it_is_run_again() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let cost = planned_cost(&installation, &job).await;
    installation.fault(Fault::probability(FaultKind::CutInRecord, 0.9));
    let limit = cost.to_string();
    let arguments = ["run", &job, "--max-cost", &limit];
    let said = installation.run(&arguments).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    installation.simulator.clear_faults();
    let said = installation.run(&arguments).await;
    assert_eq!(said.code, Some(5), "{said:?}");
    let limited = format!("its limit is ${limit}");
    assert_shows(&said.stderr, &["are spent on it already", &limited]);
}

#[tokio::test]
async fn definitions_that_are_archived_among_all_cost_no_plan_anything() {
    let installation = Installation::synthetic().await;
    let job = |symbol: &str, stype: &str| {
        installation.job(&format!(
            "{{name: definitions, dataset: GLBX.MDP3, schemas: [definition], symbols: [{symbol}], \
             stype_in: {stype}, start: 2024-01-04, end: 2024-01-05}}"
        ))
    };
    installation
        .succeed(&["run", &job("ES.c.0", "continuous")])
        .await;
    let paid = installation.data_requests().len();
    let named = job("CLH4", "raw_symbol");
    let plan = json(&installation, &["plan", &named, "--json"]).await;
    assert_eq!(plan["cost_usd"], "0.00", "{plan}");
    assert_eq!(plan["list"][0]["archived"], true, "{plan}");
    assert!(dollars(&plan["saved_usd"]) > Usd(0), "{plan}");
    installation.succeed(&["run", &named]).await;
    assert_eq!(installation.data_requests().len(), paid);
}
