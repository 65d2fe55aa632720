//! Metrics as whoever scrapes a fleet sees them: they agree with the tables, and health tells the truth.

pub mod watched;

use std::fmt::Write;
use std::net::TcpListener;
use std::process::Stdio;

use common::metrics::{ALL, ToldBy};
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::processes;
use testkit::scrape::{Scrape, get};

use self::watched::Watched;
use crate::fleet::Fleet;
use crate::installation::{Piece, january, piece};
use crate::waiting::wait_for;

/// A Friday, a weekend without a session, and four days of the next week.
fn pieces(symbols: &[&str]) -> Vec<Piece> {
    let days = (5..12).map(|day| january(day, day + 1));
    let of = |days| [Schema::Trades, Schema::Mbp1].map(|schema| piece(schema, symbols, days));
    days.flat_map(of).collect()
}

/// Answers that say to wait, that fail, and streams that are cut.
fn disturb(fleet: &Fleet) {
    for fault in [
        Fault::next(FaultKind::RateLimit, 3).lasting(1.0),
        Fault::next(FaultKind::ServerErrorText, 3),
        Fault::probability(FaultKind::CutInFrame, 0.3),
    ] {
        fleet
            .simulator
            .add_fault(fault.on_path("timeseries.get_range"));
    }
}

#[tokio::test]
async fn what_all_workers_count_is_what_the_tables_hold() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    watched::with_a_strict_rule(&fleet);
    let mut workers = Vec::new();
    for number in 0..2 {
        workers.push(Watched::start(&fleet, number).await);
    }
    // After the plan, which asks too.
    let planned = fleet.plan(SType::Continuous, &pieces(&["ES.c.0"])).await;
    disturb(&fleet);
    let request = crate::installation::request("first", SType::Continuous, january(5, 12));
    let first = fleet.submit_planned(&request, &planned).await;
    fleet.wait_for(first, |job| job.complete).await;
    // Half of it is held by the first job.
    let second = pieces(&["ES.c.0", "CL.c.0"]);
    let second = fleet.submit("second", SType::Continuous, &second).await;
    fleet.wait_for(second, |job| job.complete).await;

    let expected = in_tables(&fleet);
    // A worker counts right after the commit that the job's end was seen by.
    let scrapes = wait_for("all is counted", async || {
        let mut scrapes = Vec::new();
        for worker in &workers {
            scrapes.push(Scrape::of(worker.address).await);
        }
        let counted = by_workers(&scrapes);
        match counted == expected {
            true => Ok(scrapes),
            false => Err(format!("counted\n{counted}in the tables\n{expected}")),
        }
    })
    .await;
    for word in ["loaded", "quarantined", "covered", "done", "empty"] {
        assert!(expected.contains(word), "{word} in\n{expected}");
    }
    assert_agrees_with_the_vendor(&fleet, &scrapes);
    for scrape in &scrapes {
        scrape.check();
    }
    assert_told_as_documented(&scrapes);
}

/// The tables' sums, a line each; nothing that is zero.
fn in_tables(fleet: &Fleet) -> String {
    let sums = fleet.postgres.psql(
        "SELECT line FROM (
             SELECT 'rows ' || schema || ' loaded ' || sum(loaded_records) AS line,
                 sum(loaded_records) AS value FROM chunks GROUP BY schema
             UNION ALL SELECT 'rows ' || schema || ' quarantined ' || sum(quarantined_records),
                 sum(quarantined_records) FROM chunks GROUP BY schema
             UNION ALL SELECT 'rows ' || schema || ' covered ' || sum(covered_records),
                 sum(covered_records) FROM chunks GROUP BY schema
             UNION ALL SELECT 'chunks ' || schema || ' ' || state || ' ' || count(*), 1
                 FROM chunks GROUP BY schema, state
             UNION ALL SELECT 'bytes ' || sum(bytes_received), 1 FROM chunks
             UNION ALL SELECT 'spend reserved ' || sum(reserved_nanousd), 1 FROM spend
             UNION ALL SELECT 'spend settled ' || sum(settled_nanousd), 1 FROM spend
             UNION ALL SELECT 'spend saved ' || sum(saved_nanousd), sum(saved_nanousd)
                 FROM spend_totals) AS sums
         WHERE value > 0 ORDER BY line COLLATE \"C\"",
    );
    let rows = fleet.postgres.psql("SELECT count(*) FROM trades_data");
    let sums = format!("{}\n", sums.trim());
    let ledger = format!("rows trades loaded {}\n", rows.trim());
    assert!(sums.contains(&ledger), "{ledger} in\n{sums}");
    sums
}

/// The same by the workers' counters.
fn by_workers(scrapes: &[Scrape]) -> String {
    let sum = |name: &str, labels: &[(&str, &str)]| -> f64 {
        let sums = scrapes.iter().filter_map(|of| of.sum(name, labels));
        // The sum of nothing would be a negative zero.
        sums.fold(0.0, |all, sum| all + sum)
    };
    let mut lines = vec![format!(
        "bytes {}",
        sum("backhaul_bytes_received_total", &[])
    )];
    for kind in ["reserved", "settled", "saved"] {
        let spent = sum("backhaul_spend_nanousd_total", &[("kind", kind)]);
        lines.push(format!("spend {kind} {spent}"));
    }
    for schema in ["trades", "mbp-1"] {
        for outcome in ["loaded", "quarantined", "covered"] {
            let labels = [("schema", schema), ("outcome", outcome)];
            let rows = sum("backhaul_rows_total", &labels);
            lines.push(format!("rows {schema} {outcome} {rows}"));
        }
        for state in ["done", "empty", "dead", "cancelled"] {
            let labels = [("schema", schema), ("state", state)];
            let chunks = sum("backhaul_chunks_settled_total", &labels);
            lines.push(format!("chunks {schema} {state} {chunks}"));
        }
    }
    lines.retain(|line| !line.ends_with(" 0"));
    lines.sort();
    lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

/// What the vendor says that it answered, and what came of it.
fn assert_agrees_with_the_vendor(fleet: &Fleet, scrapes: &[Scrape]) {
    let sum = |name: &str, labels: &[(&str, &str)]| -> f64 {
        let sums = scrapes.iter().filter_map(|of| of.sum(name, labels));
        // The sum of nothing would be a negative zero.
        sums.fold(0.0, |all, sum| all + sum)
    };
    let requests = fleet.simulator.requests();
    for status in [200, 429, 503] {
        let answered = requests.iter().filter(|request| {
            request.path.ends_with("timeseries.get_range") && request.status == status
        });
        let status = status.to_string();
        let labels = [("endpoint", "timeseries.get_range"), ("status", &*status)];
        let counted = sum("backhaul_vendor_answers_total", &labels);
        assert_eq!(
            counted.to_string(),
            answered.count().to_string(),
            "{status}"
        );
    }
    let retried = |reason| sum("backhaul_retries_total", &[("reason", reason)]);
    assert_eq!(retried("rate_limited").to_string(), "3");
    assert_eq!(retried("vendor_unavailable").to_string(), "3");
    let waited = sum(
        "backhaul_limiter_wait_seconds_count",
        &[("family", "timeseries")],
    );
    let asked = sum(
        "backhaul_vendor_answers_total",
        &[("endpoint", "timeseries.get_range")],
    );
    assert_eq!(waited.to_string(), asked.to_string());
}

/// Nothing is told that isn't documented, and each kind of what a worker tells was told here.
fn assert_told_as_documented(scrapes: &[Scrape]) {
    let told = |name| scrapes.iter().any(|scrape| scrape.names().contains(&name));
    for metric in ALL {
        let expected = metric.told_by != ToldBy::Serve;
        assert_eq!(told(metric.name), expected, "{}", metric.name);
    }
    for name in scrapes.iter().flat_map(Scrape::names) {
        assert!(ALL.iter().any(|metric| metric.name == name), "{name}");
    }
}

#[test]
fn the_document_says_what_each_metric_is() {
    let document = include_str!("../../../docs/metrics.md");
    for metric in ALL {
        let labels = metric.labels.iter();
        let labels: Vec<_> = labels
            .map(|label| format!("`{}`: {}", label.name, label.values))
            .collect();
        let told_by = match metric.told_by {
            ToldBy::Worker => "worker",
            ToldBy::Serve => "serve",
            ToldBy::Both => "both",
        };
        let line = format!(
            "| `{}` | {} | {} | {told_by} | {} |\n",
            metric.name,
            metric.kind.name(),
            labels.join("; "),
            metric.meaning
        );
        assert!(document.contains(&line), "docs/metrics.md lacks\n{line}");
    }
    let reasons = format!("`{}`", worker::settle::REASONS.join("`, `"));
    assert!(
        document.contains(&reasons),
        "docs/metrics.md lacks\n{reasons}"
    );
}

#[tokio::test]
async fn a_worker_is_ready_while_it_reaches_what_it_needs_and_takes_work() {
    let Some(mut fleet) = Fleet::start().await else {
        return;
    };
    let mut worker = Watched::start(&fleet, 0).await;
    worker.wait_for("/readyz", 200, "ready").await;
    fleet.redis.kill();
    worker
        .wait_for("/readyz", 503, "Redis doesn't answer")
        .await;
    worker.assert_healthy().await;
    fleet.redis.restart();
    worker.wait_for("/readyz", 200, "ready").await;
    fleet.postgres.kill();
    worker
        .wait_for("/readyz", 503, "the database doesn't answer")
        .await;
    worker.assert_healthy().await;
    fleet.postgres.restart();
    worker.wait_for("/readyz", 200, "ready").await;

    // It has something at hand, and finishes it before it ends.
    fleet.stall_next_stream(3_600.0);
    fleet
        .submit("job", SType::Continuous, &pieces(&["ES.c.0"])[..1])
        .await;
    fleet.wait_for_stream().await;
    processes::signal("TERM", &[worker.process.id().unwrap()]);
    worker.wait_for("/readyz", 503, "draining").await;
    worker.assert_healthy().await;
    // The second signal ends it at once.
    processes::signal("TERM", &[worker.process.id().unwrap()]);
    worker.process.wait().await.unwrap();
    assert_eq!(get(worker.address, "/healthz").await, None);
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_by_the_name_of_its_setting() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for (address, told) in [
        (&*taken, "nobody can listen at"),
        ("9464", "is not an address to listen at"),
    ] {
        let mut command = fleet.worker();
        command
            .env("BACKHAUL_METRICS_LISTEN", address)
            .stderr(Stdio::piped());
        let output = command.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for words in ["BACKHAUL_METRICS_LISTEN", told] {
            assert!(said.contains(words), "{said}");
        }
    }
}
