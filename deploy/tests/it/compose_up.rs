//! The composition brought up as far as that goes without an engine: its commands as processes, with
//! its variables, in its order, by its health checks; and what Prometheus then finds.

mod machine;
mod watched;

use self::machine::Machine;
use crate::tree::text;

/// Workers, as by `--scale worker=2`.
const WORKERS: usize = 2;

/// The one submit that the guide shows.
fn shown_submit() -> Vec<String> {
    let guide = text("docs/deployment.md");
    let run = "docker compose run --rm scheduler ";
    let shown = guide.lines().find_map(|line| line.strip_prefix(run));
    shown.unwrap().split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn without_a_key_it_comes_up_and_does_the_job_that_is_submitted_and_is_seen_to() {
    let Some(mut machine) = Machine::new() else {
        return;
    };
    machine.up(WORKERS).await;
    let prometheus = watched::start(&machine);
    let submit = shown_submit();
    assert_eq!(submit, ["submit", "demo", "--wait"]);
    let said = machine.run("scheduler", &submit).await;
    println!("{said}");
    let rows = |table: &str| -> u64 {
        let count = format!("SELECT count(*) FROM {table}");
        machine.psql(&count).trim().parse().unwrap()
    };
    for table in [
        "trades_data",
        "mbp_1_data",
        "ohlcv_data",
        "definitions_data",
    ] {
        assert!(rows(table) > 0, "{table}: {said}");
    }
    let ends = machine.psql("SELECT DISTINCT state FROM chunks ORDER BY state");
    assert_eq!(ends, "done\nempty\n", "{said}");
    if let Some(prometheus) = prometheus {
        watched::check(&machine, &prometheus).await;
    }
    machine.stop().await;
}
