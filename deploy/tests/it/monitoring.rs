//! Alerts and the dashboard: they ask for metrics that there are, and each alert is explained and shown.

use std::collections::BTreeSet;

use common::metrics::ALL;
use serde_json::Value;

use crate::expressions::{is_told_as, metrics, mistakes};
use crate::installed;
use crate::manifest::rendered;
use crate::tree::{at, document, list, root, text};

/// What the dashboard leaves out: money that `backhaul_spend_usd` tells of the whole fleet, and versions.
const NOT_SHOWN: [&str; 2] = ["backhaul_spend_nanousd_total", "backhaul_build_info"];

fn check_known(place: &str, expression: &str, shown: &str) {
    assert!(!metrics(expression).is_empty(), "{place}: {expression}");
    let mistakes = mistakes(expression, shown);
    assert!(mistakes.is_empty(), "{place}: {expression}: {mistakes:?}");
}

/// The alerts.
pub fn alerts() -> Vec<Value> {
    list(&document("monitoring/alerts.yml"), "/groups")
        .flat_map(|group| list(group, "/rules"))
        .cloned()
        .collect()
}

/// The targets of the dashboard's panels.
fn targets() -> Vec<Value> {
    let dashboard: Value =
        serde_json::from_str(&text("monitoring/dashboards/backhaul.json")).unwrap();
    let targets = list(&dashboard, "/panels").flat_map(|panel| list(panel, "/targets"));
    targets.cloned().collect()
}

/// What a target asks, as Prometheus would be asked.
fn asked_by(target: &Value) -> String {
    let expression = at(target, "/expr").unwrap();
    expression.replace("$__rate_interval", "5m")
}

/// The expressions of the dashboard.
pub fn asked_by_the_dashboard() -> Vec<String> {
    targets().iter().map(asked_by).collect()
}

#[test]
fn alerts_and_the_dashboard_ask_for_metrics_labels_and_values_that_there_are() {
    for alert in alerts() {
        let (name, summary) = (at(&alert, "/alert"), at(&alert, "/annotations/summary"));
        let expression = at(&alert, "/expr").unwrap();
        check_known(name.unwrap(), expression, summary.unwrap());
    }
    let targets = targets();
    for target in &targets {
        let legend = at(target, "/legendFormat").unwrap();
        check_known("the dashboard", &asked_by(target), legend);
    }
    let asked = targets.iter().map(asked_by);
    let shown: BTreeSet<_> = asked.flat_map(|it| metrics(&it)).collect();
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
        assert_eq!(at(alert, "/annotations/runbook_url"), Some(anchor.as_str()));
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
fn alerts_lead_to_where_the_rules_annotation_says_that_the_documents_are() {
    for cluster in rendered().iter().filter(|it| it.name != "dev") {
        let rule = &cluster.find("PrometheusRule", "backhaul").unwrap().value;
        let documents = at(rule, "/metadata/annotations/backhaul~1documents").unwrap();
        let links = list(rule, "/spec/groups/0/rules").map(|it| at(it, "/annotations/runbook_url"));
        let links: Vec<_> = links.map(Option::unwrap).collect();
        let paths = alerts();
        let paths = paths.iter().map(|it| at(it, "/annotations/runbook_url"));
        let expected: Vec<_> = paths
            .map(|path| format!("{documents}/{}", path.unwrap()))
            .collect();
        assert_eq!(links, expected, "{}", cluster.name);
    }
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
