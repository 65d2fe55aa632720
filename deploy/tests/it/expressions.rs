//! Expressions in Prometheus' language: each asks for metrics, labels and values that there are.

use std::collections::BTreeSet;

use common::metrics::{ALL, Kind, Metric};

/// Words before a list of labels.
const GROUPINGS: [&str; 5] = ["by", "without", "on", "ignoring", "group_left"];

/// The metrics that an expression names.
pub fn metrics(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|it: char| !is_of_word(it));
    let ours = words.filter(|word| word.starts_with("backhaul_"));
    ours.map(str::to_owned).collect()
}

/// Whether a metric is told under a name: a histogram is in three.
pub fn is_told_as(metric: &Metric, name: &str) -> bool {
    match (metric.kind, name.strip_prefix(metric.name)) {
        (Kind::Histogram(_), Some(part)) => ["_bucket", "_sum", "_count"].contains(&part),
        (Kind::Counter | Kind::Gauge, Some(part)) => part.is_empty(),
        (_, None) => false,
    }
}

/// What an expression asks for that nobody tells. `shown` is what is said of its result: a legend, or an
/// alert's summary.
pub fn mistakes(expression: &str, shown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for name in metrics(expression) {
        match ALL.iter().find(|metric| is_told_as(metric, &name)) {
            None => found.push(format!("nobody tells {name}")),
            Some(metric) => {
                known.extend(metric.labels.iter().map(|label| label.name));
                if name.ends_with("_bucket") {
                    known.insert("le");
                }
                found.extend(wrong_selectors(expression, &name, metric));
            }
        }
    }
    let labels = grouped(expression).into_iter().chain(labels_in(shown));
    let foreign = labels.filter(|label| !known.contains(label.as_str()));
    found.extend(foreign.map(|label| format!("no metric here has a label {label}")));
    found
}

/// What is wrong within the braces behind a metric's name, each time that it stands there.
fn wrong_selectors(expression: &str, name: &str, metric: &Metric) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, _) in expression.match_indices(name) {
        let Some(rest) = expression[at + name.len()..].strip_prefix('{') else {
            continue;
        };
        let (selectors, _) = rest.split_once('}').unwrap();
        for selector in selectors.split(',').map(str::trim) {
            let label: String = selector.chars().take_while(|it| is_of_word(*it)).collect();
            let value = selector[label.len()..].trim_start_matches(['=', '!', '~']);
            let Some(known) = metric.labels.iter().find(|known| known.name == label) else {
                wrong.push(format!("{name} has no label {label}"));
                continue;
            };
            let values = value.trim_matches('"').split('|');
            let unknown = values.filter(|value| !can_be(known.values, value));
            wrong.extend(unknown.map(|value| format!("{label} of {name} is never {value}")));
        }
    }
    wrong
}

/// Whether a label's documented values allow one: where they are listed, it is on the list.
fn can_be(documented: &str, value: &str) -> bool {
    let mut listed = documented.split(", ");
    if documented.contains("HTTP status") {
        return value.parse::<u16>().is_ok() || value == "none";
    }
    let is_list = listed.clone().all(|one| one.chars().all(is_of_word));
    !is_list || listed.any(|one| one == value)
}

/// The labels that results are grouped or matched by.
fn grouped(expression: &str) -> Vec<String> {
    let mut labels = Vec::new();
    for (at, _) in expression.match_indices('(') {
        let before = expression[..at].trim_end();
        let word = before.rsplit(|it: char| !is_of_word(it)).next();
        if word.is_some_and(|word| GROUPINGS.contains(&word)) {
            let (inside, _) = expression[at + 1..].split_once(')').unwrap();
            let names = inside.split(',').map(str::trim);
            labels.extend(names.filter(|it| !it.is_empty()).map(str::to_owned));
        }
    }
    labels
}

/// The labels that a legend or a summary shows: `{{label}}`, `{{ $labels.label }}`.
fn labels_in(shown: &str) -> Vec<String> {
    let parts = shown.split("{{").skip(1);
    let inside = parts.filter_map(|part| Some(part.split_once("}}")?.0.trim()));
    let labels = inside.filter(|it| !it.starts_with("$value"));
    labels
        .map(|it| it.trim_start_matches("$labels.").to_owned())
        .collect()
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[test]
fn what_nobody_tells_is_found() {
    for (expression, shown, mistake) in [
        ("max(backhaul_worker)", "", "nobody tells backhaul_worker"),
        (
            "sum(backhaul_chunk_stage_seconds)",
            "",
            "nobody tells backhaul_chunk_stage_seconds",
        ),
        (
            "backhaul_jobs{state=\"active\"}",
            "",
            "state of backhaul_jobs is never active",
        ),
        (
            "backhaul_chunks{state=~\"done|ended\", schema=\"mbo\"}",
            "",
            "state of backhaul_chunks is never ended",
        ),
        (
            "backhaul_rows_total{state=\"done\"}",
            "",
            "backhaul_rows_total has no label state",
        ),
        (
            "backhaul_vendor_answers_total{status=~\"401|4xx\"}",
            "",
            "status of backhaul_vendor_answers_total is never 4xx",
        ),
        (
            "sum by (shema) (backhaul_chunks)",
            "",
            "no metric here has a label shema",
        ),
        (
            "sum by (state) (backhaul_chunks)",
            "{{schema}} {{ $labels.job }} {{ $value }}",
            "no metric here has a label job",
        ),
    ] {
        assert_eq!(mistakes(expression, shown), [mistake], "{expression}");
    }
}
