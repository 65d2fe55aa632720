//! A fleet that has done its work, as a real Prometheus finds it: every panel shows something, and no
//! alert fires.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::prometheus::Prometheus;
use tokio::time::{Instant, sleep};

use super::machine::Machine;
use crate::monitoring::{alerts, asked_by_the_dashboard};
use crate::tree::{at, document, root};

/// Nothing takes so long but a test that fails.
const FOREVER: Duration = Duration::from_secs(120);

/// The composition's Prometheus, with a second between scrapes and with addresses for names; it watches
/// itself too. `None` where it isn't installed.
pub fn start(machine: &Machine) -> Option<Prometheus> {
    let mut configuration = document("monitoring/prometheus.yml");
    for interval in ["scrape_interval", "evaluation_interval"] {
        configuration["global"][interval] = "1s".into();
    }
    let rules = root().join("monitoring/alerts.yml");
    configuration["rule_files"] = json!([rules]);
    let scrape = &mut configuration["scrape_configs"][0];
    let names = scrape["dns_sd_configs"][0]["names"].clone();
    let names = names.as_array().unwrap().iter();
    let targets: Vec<_> = names
        .flat_map(|name| machine.metrics_of(name.as_str().unwrap()))
        .map(|address| address.to_string())
        .collect();
    scrape.as_object_mut().unwrap().remove("dns_sd_configs");
    scrape["static_configs"] = json!([{"targets": targets}]);
    Prometheus::start(|own| {
        let itself =
            json!({"job_name": "itself", "static_configs": [{"targets": [own.to_string()]}]});
        let scrapes = configuration["scrape_configs"].as_array_mut().unwrap();
        scrapes.push(itself);
        // JSON is YAML.
        configuration.to_string()
    })
}

/// The series that an expression comes to.
fn series(prometheus: &Prometheus, expression: &str) -> Vec<Value> {
    let answer = prometheus.answer(expression);
    let found = serde_json::from_str(&answer);
    found.unwrap_or_else(|error| panic!("{expression}: {error}: {answer}"))
}

/// Waits until an expression comes to something.
async fn wait_for(prometheus: &Prometheus, expression: &str) {
    let deadline = Instant::now() + FOREVER;
    while series(prometheus, expression).is_empty() {
        assert!(Instant::now() < deadline, "nothing comes of {expression}");
        // Until the next scrape.
        sleep(Duration::from_millis(200)).await;
    }
}

/// Runs every expression of the dashboard and of the alerts.
pub async fn check(machine: &Machine, prometheus: &Prometheus) {
    let processes = machine.metrics_of("worker").len() + machine.metrics_of("scheduler").len();
    wait_for(
        prometheus,
        &format!("count(up{{job=\"backhaul\"}} == 1) == {processes}"),
    )
    .await;
    for expression in asked_by_the_dashboard() {
        // The composition begins without a budget: a panel may be empty for that alone.
        match expression.contains("backhaul_budget_usd") {
            true => assert_eq!(series(prometheus, &expression), [] as [Value; 0]),
            false => wait_for(prometheus, &expression).await,
        }
    }
    for alert in alerts() {
        let (name, expression) = (at(&alert, "/alert").unwrap(), at(&alert, "/expr").unwrap());
        let firing = series(prometheus, expression);
        assert!(firing.is_empty(), "{name} fires: {firing:?}");
    }
    wait_for(prometheus, "sum(prometheus_rule_evaluations_total) > 0").await;
    let failed = "sum(prometheus_rule_evaluation_failures_total) > 0";
    assert_eq!(series(prometheus, failed), [] as [Value; 0]);
}
