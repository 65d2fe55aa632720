//! `scheduler query`: what it answers is what the vendor's own library reads in the same streams.

mod asking;
mod expected;
mod formats;
mod golden;
mod injection;
mod rolls;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::installation::{Installation, Said};

/// Columns' values as text; `None` where undefined.
type Cells = BTreeMap<String, Option<String>>;

/// The rows that a query finds, through lines of JSON.
async fn rows(installation: &Installation, arguments: &[&str]) -> Vec<Cells> {
    let said = query(installation, arguments, "ndjson").await;
    said.stdout.lines().map(cells).collect()
}

/// A query that must succeed, in a format.
async fn query(installation: &Installation, arguments: &[&str], format: &str) -> Said {
    let mut all = vec!["query", "--output-format", format];
    all.extend(arguments);
    installation.succeed(&all).await
}

fn cells(line: &str) -> Cells {
    let object: Map<String, Value> = serde_json::from_str(line).unwrap();
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        other => panic!("{other}"),
    };
    object
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

fn column(rows: &[Cells], name: &str) -> Vec<String> {
    let values = rows.iter().map(|row| row[name].clone());
    values.map(Option::unwrap_or_default).collect()
}
