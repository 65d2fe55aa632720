//! Days as the vendor has them: flagged, missing, not there yet, or before its history began.

use serde_json::Value;
use simulator::{Config, Fault, FaultKind, Simulator};

use crate::installation::Installation;

const JOB: &str = "
name: days
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-11
";

fn config(available_end: Option<&str>) -> Config {
    Config {
        trades_per_day: 100,
        strikes: 2,
        available_end: available_end.map(str::to_owned),
        ..Config::default()
    }
}

/// The tables of an installation whose vendor had everything.
async fn undisturbed() -> Vec<(String, u64)> {
    let installation = Installation::with(config(None)).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    rows(&installation).await
}

/// Rows of market data; slices depend on how the days were cut.
async fn rows(installation: &Installation) -> Vec<(String, u64)> {
    let tables = installation.tables().await.into_iter();
    let market = tables.filter(|(name, _)| name.ends_with("_data"));
    market.map(|(name, sum)| (name, sum.rows)).collect()
}

async fn planned(installation: &Installation, job: &str) -> Value {
    let said = installation.succeed(&["plan", job, "--json"]).await;
    serde_json::from_str(&said.stdout).unwrap()
}

/// The days of planned chunks, with whether each is counted.
fn days(plan: &Value) -> Vec<(String, bool)> {
    let list = plan["list"].as_array().unwrap().iter();
    let days = list.map(|entry| {
        let (start, end) = (entry["start"].as_str(), entry["end"].as_str());
        let days = format!("{}..{}", start.unwrap(), end.unwrap());
        (days, entry["records"].is_u64())
    });
    days.collect()
}

#[tokio::test]
async fn a_degraded_day_is_loaded_and_flagged() {
    let installation = Installation::with(config(None)).await;
    for date in ["2024-01-05", "2024-01-08", "2024-01-09"] {
        installation.fault(Fault::day(FaultKind::Degraded, date));
    }
    let job = installation.job(JOB);
    let plan = installation.succeed(&["plan", &job]).await;
    let named = "2024-01-05, 2024-01-08 to 2024-01-09";
    assert!(
        plan.stderr.contains(named) && plan.stderr.contains("degraded"),
        "{plan:?}"
    );
    let run = installation.succeed(&["run", &job]).await;
    assert!(
        run.stdout
            .contains(&format!("degraded: the vendor's data of {named}")),
        "{run:?}"
    );
    assert!(run.stdout.contains("days is complete."), "{run:?}");
    let status = installation.succeed(&["status"]).await;
    assert!(status.stdout.contains(named), "{status:?}");
    let flagged = installation.status().await["flagged_days"].clone();
    assert_eq!(flagged.as_array().unwrap().len(), 3);
    assert_eq!(flagged[0]["day"], "2024-01-05");
    assert_eq!(flagged[0]["condition"], "degraded");
    assert_eq!(rows(&installation).await, undisturbed().await);

    // The vendor has mended one of them, and said so when it was asked.
    installation.simulator.clear_faults();
    installation.fault(Fault::day(FaultKind::Degraded, "2024-01-05"));
    installation.succeed(&["run", &job]).await;
    let flagged = installation.status().await["flagged_days"].clone();
    assert_eq!(flagged.as_array().unwrap().len(), 1, "{flagged}");
}

#[tokio::test]
async fn a_missing_day_is_a_known_gap_until_the_vendor_has_it() {
    for chunking in ["{days: 1}", "{days: 30}", "{records: 1_000_000}"] {
        let installation = Installation::with(config(None)).await;
        installation.fault(Fault::day(FaultKind::Missing, "2024-01-09"));
        let job = installation.job(&format!("{JOB}chunking: {chunking}\n"));
        let run = installation.succeed(&["run", &job]).await;
        assert!(
            run.stderr.contains("2024-01-09: a known gap"),
            "{chunking}: {run:?}"
        );
        assert!(
            run.stdout.contains("complete but for known gaps"),
            "{chunking}: {run:?}"
        );
        assert!(
            run.stdout
                .contains("known gap: the vendor has no data of 2024-01-09"),
            "{chunking}: {run:?}"
        );
        let plan = planned(&installation, &job).await;
        assert_eq!(days(&plan), [], "{chunking}");
        let status = installation.status().await;
        assert_eq!(status["complete"], true, "{chunking}: {status}");
        assert_eq!(
            status["flagged_days"][0]["condition"], "missing",
            "{status}"
        );
        let text = installation.succeed(&["status"]).await.stdout;
        assert!(text.contains("known gap"), "{text}");
        let asked = installation.data_requests().len();
        installation.succeed(&["run", &job]).await;
        assert_eq!(installation.data_requests().len(), asked, "{chunking}");

        installation.simulator.clear_faults();
        let plan = planned(&installation, &job).await;
        assert_eq!(
            days(&plan),
            [("2024-01-09..2024-01-10".to_owned(), true)],
            "{chunking}"
        );
        let run = installation.succeed(&["run", &job]).await;
        assert!(
            run.stdout.contains("days is complete."),
            "{chunking}: {run:?}"
        );
        assert_eq!(rows(&installation).await, undisturbed().await, "{chunking}");
    }
}

#[tokio::test]
async fn the_tail_comes_day_by_day_as_the_vendor_has_it() {
    for chunking in ["{days: 30}", "{records: 1_000_000}"] {
        let mut installation = Installation::with(config(Some("2024-01-06"))).await;
        let job = installation.job(&format!("{JOB}chunking: {chunking}\n"));
        let whole = days(&planned(&installation, &job).await);
        assert_eq!(
            whole[0],
            ("2024-01-04..2024-01-06".to_owned(), true),
            "{chunking}"
        );
        assert!(
            whole.contains(&("2024-01-09..2024-01-10".to_owned(), false)),
            "{whole:?}"
        );
        for (end, code, pending) in [
            ("2024-01-06", 3, 5),
            ("2024-01-09", 3, 2),
            ("2024-01-10", 3, 1),
            ("2024-01-12", 0, 0),
        ] {
            installation.simulator = Simulator::start(config(Some(end))).await.unwrap();
            // What was put off is due again, as it would be by then.
            if installation.sandbox.database().exists() {
                let due = "UPDATE chunks SET due_at = 0 WHERE state = 'pending'";
                installation.execute(due).await;
            }
            let run = installation.run(&["run", &job]).await;
            assert_eq!(run.code, Some(code), "{chunking} {end}: {run:?}");
            let status = installation.status().await;
            assert_eq!(
                status["chunks"]["pending"], pending,
                "{chunking} {end}: {status}"
            );
            assert_eq!(status["chunks"]["dead"], 0, "{chunking} {end}: {status}");
        }
        assert_eq!(rows(&installation).await, undisturbed().await, "{chunking}");
    }
}

#[tokio::test]
async fn what_a_licence_does_not_cover_waits_and_the_rest_is_planned() {
    let installation = Installation::with(config(None)).await;
    installation.fault(Fault::day(FaultKind::Licence, "2024-01-09"));
    let job = installation.job(JOB);
    let plan = planned(&installation, &job).await;
    let wanted = [
        ("2024-01-04..2024-01-09".to_owned(), true),
        ("2024-01-09..2024-01-10".to_owned(), false),
        ("2024-01-10..2024-01-11".to_owned(), false),
    ];
    assert_eq!(days(&plan), wanted);
    let run = installation.run(&["run", &job]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    let status = installation.status().await;
    assert_eq!(
        (&status["chunks"]["done"], &status["chunks"]["pending"]),
        (&1.into(), &2.into())
    );
}

#[tokio::test]
async fn days_before_a_schema_began_are_named_and_never_asked_for() {
    let installation = Installation::with(config(None)).await;
    installation.fault(Fault::day(FaultKind::SchemaBegins, "2024-03-25").of_schema("trades"));
    let job = installation.job(
        "
name: began
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d]
symbols: [ESH4, ESM4]
stype_in: raw_symbol
start: 2024-03-12
end: 2024-03-28
",
    );
    let run = installation.succeed(&["run", &job]).await;
    let said = "GLBX.MDP3 has trades from 2024-03-25 on: the days before are left out";
    assert!(run.stderr.contains(said), "{run:?}");
    // The one that expired before means nothing there.
    let said = "GLBX.MDP3 knows nothing by ESH4 in 2024-03-25..2024-03-28";
    assert!(run.stderr.contains(said), "{run:?}");
    let requests = installation.simulator.requests();
    let refused = requests.iter().filter(|request| request.status >= 400);
    assert_eq!(
        refused.count(),
        0,
        "nothing was asked that could be refused"
    );
    let status = installation.status().await;
    assert_eq!(status["complete"], true, "{status}");
}
