//! Document: a map as JSON, row by row, each row's days in runs.

use serde_json::{Value, json};

use super::{Counts, Rows, SchemaMap};

/// Tells one map as JSON, a piece at a time, so that it is never whole in memory.
///
/// # Errors
/// Those of `tell`.
pub fn tell(
    map: &SchemaMap,
    mut tell: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let head = json!({
        "dataset": map.dataset,
        "schema": map.schema.as_str(),
        "stype_in": map.stype_in.as_str(),
        "start": map.days.start(),
        "end": map.days.end(),
    });
    let head = head.to_string();
    tell(head.trim_end_matches('}'))?;
    tell(",\"symbols\":[")?;
    let rows = Rows::of(map);
    let mut totals = Counts::default();
    for (index, name) in map.names.iter().enumerate() {
        let (row, counts) = row(&rows, name);
        totals.add_all(&counts);
        let comma = if index == 0 { "" } else { "," };
        tell(&format!("{comma}\n{row}"))?;
    }
    tell(&format!("],\"days\":{}}}", totals.document()))
}

fn row(rows: &Rows<'_>, name: &str) -> (Value, Counts) {
    let mut counts = Counts::default();
    let runs = rows.row(name);
    let runs = runs.iter().map(|run| {
        counts.add(run.cell, run.days.len_days());
        json!({
            "start": run.days.start(),
            "end": run.days.end(),
            "state": run.cell.name(),
            "chunks": run.chunks,
        })
    });
    let runs: Vec<_> = runs.collect();
    let row = json!({ "symbol": name, "days": counts.document(), "runs": runs });
    (row, counts)
}
