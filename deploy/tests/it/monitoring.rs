//! Alerts and the dashboard: they ask for metrics that there are, and each alert is explained and shown.

use std::collections::BTreeSet;

use common::metrics::{ALL, Kind, Metric};
use serde_json::Value;

use crate::installed;
use crate::tree::{at, document, list, root, text};

/// What the dashboard leaves out: money that `backhaul_spend_usd` tells of the whole fleet, and versions.
const NOT_SHOWN: [&str; 2] = ["backhaul_spend_nanousd_total", "backhaul_build_info"];

/// The metrics that an expression names.
fn metrics(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
    words
        .filter(|word| word.starts_with("backhaul_"))
        .map(str::to_owned)
        .collect()
}

/// Whether a metric is told under a name: a histogram is in three.
fn is_told_as(metric: &Metric, name: &str) -> bool {
    match (metric.kind, name.strip_prefix(metric.name)) {
        (Kind::Histogram(_), Some(part)) => ["_bucket", "_sum", "_count"].contains(&part),
        (Kind::Counter | Kind::Gauge, Some(part)) => part.is_empty(),
        (_, None) => false,
    }
}

fn check_known(place: &str, expression: &str) {
    let named = metrics(expression);
    assert!(!named.is_empty(), "{place}: {expression}");
    for name in named {
        let is_told = ALL.iter().any(|metric| is_told_as(metric, &name));
        assert!(is_told, "{place}: nobody tells {name}");
    }
}

fn alerts() -> Vec<Value> {
    list(&document("monitoring/alerts.yml"), "/groups")
        .flat_map(|group| list(group, "/rules"))
        .cloned()
        .collect()
}

/// The expressions of the dashboard, as Prometheus would be asked.
fn asked_by_the_dashboard() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&text("monitoring/dashboards/backhaul.json")).unwrap();
    let targets = list(&dashboard, "/panels").flat_map(|panel| list(panel, "/targets"));
    targets
        .map(|target| {
            at(target, "/expr")
                .unwrap()
                .replace("$__rate_interval", "5m")
        })
        .collect()
}

#[test]
fn alerts_and_the_dashboard_ask_for_metrics_that_there_are() {
    for alert in alerts() {
        check_known(at(&alert, "/alert").unwrap(), at(&alert, "/expr").unwrap());
    }
    let asked = asked_by_the_dashboard();
    for expression in &asked {
        check_known("the dashboard", expression);
    }
    let shown: BTreeSet<_> = asked.iter().flat_map(|it| metrics(it)).collect();
    for metric in ALL.iter().filter(|it| !NOT_SHOWN.contains(&it.name)) {
        let is_shown = shown.iter().any(|name| is_told_as(metric, name));
        assert!(is_shown, "the dashboard shows {}", metric.name);
    }
}

#[test]
fn every_alert_is_explained_and_shown_to_fire_and_not_to() {
    let explained = text("docs/alerts.md");
    let shown = document("monitoring/alerts_test.yml");
    let tests: Vec<_> = list(&shown, "/tests")
        .flat_map(|test| list(test, "/alert_rule_test"))
        .collect();
    let alerts = alerts();
    for alert in &alerts {
        let name = at(alert, "/alert").unwrap();
        let heading = format!("\n## Alert {name}\n");
        assert!(
            explained.contains(&heading),
            "docs/alerts.md has no section {heading:?}"
        );
        let anchor = format!("docs/alerts.md#alert-{}", name.to_lowercase());
        assert_eq!(at(alert, "/annotations/runbook"), Some(anchor.as_str()));
        assert!(at(alert, "/annotations/summary").is_some(), "{name}");
        let severity = at(alert, "/labels/severity").unwrap();
        assert!(
            ["critical", "warning"].contains(&severity),
            "{name}: {severity}"
        );
        let of_it = || tests.iter().filter(|test| test["alertname"] == name);
        let fires = |test: &&&Value| list(test, "/exp_alerts").count() > 0;
        assert!(of_it().any(|test| fires(&test)), "{name} is shown to fire");
        assert!(
            of_it().any(|test| !fires(&test)),
            "{name} is shown not to fire"
        );
    }
    let sections = explained.matches("\n## Alert ").count();
    assert_eq!(
        sections,
        alerts.len(),
        "docs/alerts.md explains what there is"
    );
}

#[test]
fn the_operator_is_given_the_same_rules() {
    let rule = document("k8s/components/prometheus-operator/prometheus-rule.yaml");
    let plain = document("monitoring/alerts.yml");
    assert_eq!(rule["spec"]["groups"], plain["groups"]);
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_as_shown() {
    let folder = root().join("monitoring");
    for arguments in [
        ["check", "rules", "alerts.yml"].as_slice(),
        ["test", "rules", "alerts_test.yml"].as_slice(),
        ["check", "config", "--syntax-only", "prometheus.yml"].as_slice(),
    ] {
        if installed::output("promtool", arguments, &folder).is_none() {
            return;
        }
    }
}

#[test]
fn prometheus_understands_all_that_the_dashboard_asks() {
    let rules: Vec<_> = asked_by_the_dashboard()
        .iter()
        .enumerate()
        .map(|(number, expression)| serde_json::json!({"record": format!("panel:{number}"), "expr": expression}))
        .collect();
    assert!(rules.len() > 20, "{} expressions", rules.len());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("dashboard-{}.yml", std::process::id());
    // JSON is YAML.
    let groups = serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]});
    std::fs::write(folder.join(&name), groups.to_string()).unwrap();
    let _absent = installed::output("promtool", &["check", "rules", &name], folder);
    std::fs::remove_file(folder.join(&name)).unwrap();
}

#[test]
fn grafana_finds_its_source_and_its_dashboard() {
    let sources = document("monitoring/grafana/datasources.yml");
    let uid = at(&sources, "/datasources/0/uid").unwrap();
    let dashboard: Value =
        serde_json::from_str(&text("monitoring/dashboards/backhaul.json")).unwrap();
    let panels = list(&dashboard, "/panels").filter(|panel| panel["type"] != "row");
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], uid, "{}", panel["title"]);
        for target in list(panel, "/targets") {
            assert_eq!(target["datasource"]["uid"], uid, "{}", panel["title"]);
        }
    }
    let url = at(&sources, "/datasources/0/url").unwrap();
    assert_eq!(
        url, "http://prometheus:9090",
        "the service's name in the composition"
    );
    let provider = document("monitoring/grafana/dashboards.yml");
    let folder = at(&provider, "/providers/0/options/path").unwrap();
    let mounted = format!("./monitoring/dashboards:{folder}:ro");
    assert!(text("docker-compose.yml").contains(&mounted), "{mounted}");
}
