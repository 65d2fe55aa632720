//! `scheduler replay`: today's mappings and rules over a job's archived streams.

use std::process::ExitCode;

use common::configuration::document::Refusal;
use common::configuration::mapping::{ColumnType, Mapping};
use common::price::Price;
use common::quality::Severity;
use common::store::Difference;
use common::store::replay::{ReplayScope, RuleDifference};
use common::time::Nanos;
use tokio_util::sync::CancellationToken;

use super::run::open_existing;
use crate::arguments::{Global, Replay};
use crate::exit::{INCOMPLETE, print};
use crate::progress::{counted, thousands};
use crate::replay::{Mode, Replayed, find_job, go};
use crate::report::{aligned, plain_table};
use crate::session::Session;
use worker::process::stop_on_signals;

/// Chunks that stayed as they are and are named.
const KEPT_SHOWN: usize = 20;

/// Runs the command.
pub async fn run(global: &Global, options: &Replay) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let mode = Mode {
        scope: ReplayScope::All,
        dry_run: options.dry_run,
    };
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let Some(store) = open_existing(&session, !mode.dry_run).await? else {
        let help = "`scheduler run` submits a job and loads it";
        return Err(Refusal::of(&options.job, "there is no database yet", help).into());
    };
    let (job, file) = find_job(&session, &store, &options.job).await?;
    let replayed = go(&session, &store, job, file.as_ref(), mode, &stop).await;
    store.close().await;
    tell(&[replayed?], options.json)
}

/// Says what replays came to.
pub fn tell(replayed: &[Replayed], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        let document = serde_json::json!({ "jobs": replayed });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        for job in replayed {
            print(&describe(job))?;
        }
    }
    let whole = |job: &Replayed| job.kept.is_empty() && !job.stopped;
    Ok(match replayed.iter().all(whole) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    })
}

fn describe(job: &Replayed) -> String {
    let mut text = String::new();
    if job
        .schemas
        .values()
        .any(|difference| !difference.is_nothing())
    {
        text.push_str(&format!("{}\n", rows_table(job)));
    }
    if let Some(rules) = rules_table(job) {
        text.push_str(&format!("{rules}\n"));
    }
    for (schema, difference) in &job.schemas {
        text.push_str(&columns(job, schema, difference));
    }
    text.push_str(&format!(
        "{} ({}): {}. Spent: $0.00.\n",
        job.name,
        job.job,
        verdict(job)
    ));
    text.push_str(&describe_kept(job));
    if job.stopped {
        text.push_str("stopped before the last chunk: run it again for the rest\n");
    }
    text
}

/// What became of the chunks, or would, in a sentence.
fn verdict(job: &Replayed) -> String {
    let mut parts = Vec::new();
    let chunks = counted(job.chunks, "chunk");
    if job.dry_run {
        let (changed, same) = (job.changed, job.chunks - job.changed);
        parts.push(match changed {
            0 => format!("{chunks} compared, and a replay would change nothing in them"),
            _ => format!(
                "{chunks} compared: without --dry-run {} would change, {} would not",
                thousands(changed),
                thousands(same)
            ),
        });
    } else if job.chunks > 0 || (job.current == 0 && job.kept.is_empty()) {
        parts.push(format!("{chunks} swapped"));
    }
    if job.current > 0 {
        parts.push(format!(
            "{} as they should be already",
            counted(job.current, "chunk")
        ));
    }
    let kept = u64::try_from(job.kept.len()).unwrap_or(u64::MAX);
    if kept > 0 {
        parts.push(format!("{} left as they are", counted(kept, "chunk")));
    }
    parts.join("; ")
}

/// The chunks that stay as they are, and what to do about them.
fn describe_kept(job: &Replayed) -> String {
    let mut text = String::new();
    for kept in job.kept.iter().take(KEPT_SHOWN) {
        text.push_str(&format!(
            "  stays as it is: chunk {} {} {}: {}\n",
            kept.chunk, kept.schema, kept.days, kept.error
        ));
        if let Some(help) = kept.help {
            text.push_str(&format!("    = help: {help}\n"));
        }
    }
    if let Some(more @ 1..) = job.kept.len().checked_sub(KEPT_SHOWN) {
        text.push_str(&format!("  and {more} chunks more; --json lists all\n"));
    }
    text
}

fn rows_table(job: &Replayed) -> comfy_table::Table {
    let compared = job.dry_run;
    let mut head = vec!["schema", "", "now", "then"];
    if compared {
        head.extend(["enter", "leave", "other values"]);
    } else {
        head[2] = "before";
        head[3] = "after";
    }
    let mut table = plain_table(&head);
    let changed = job.schemas.iter();
    for (schema, difference) in changed.filter(|(_, difference)| !difference.is_nothing()) {
        let mut rows = vec![
            schema.clone(),
            "rows".to_owned(),
            thousands(difference.rows_before),
            thousands(difference.rows_after),
        ];
        let mut quarantine = vec![
            String::new(),
            "quarantine".to_owned(),
            thousands(difference.quarantined_before),
            thousands(difference.quarantined_after),
        ];
        if compared {
            let moved = [difference.entered, difference.left, difference.changed];
            rows.extend(moved.map(|rows| thousands(rows.unwrap_or_default())));
            let sum = |count: fn(&RuleDifference) -> Option<u64>| {
                thousands(difference.rules.values().filter_map(count).sum())
            };
            quarantine.push(sum(|rule| rule.entered_quarantine));
            quarantine.push(sum(|rule| rule.left_quarantine));
            quarantine.push(String::new());
        }
        table.add_row(aligned(2, rows));
        table.add_row(aligned(2, quarantine));
    }
    table
}

fn rules_table(job: &Replayed) -> Option<comfy_table::Table> {
    let mut head = vec!["schema", "rule", "severity", "fail now", "fail then"];
    if job.dry_run {
        head.extend(["enter quarantine", "leave quarantine"]);
    } else {
        head[3] = "failed before";
        head[4] = "fail after";
    }
    let mut table = plain_table(&head);
    let mut any = false;
    for (schema, difference) in &job.schemas {
        for (name, rule) in &difference.rules {
            any = true;
            let mut row = vec![
                schema.clone(),
                name.clone(),
                severity(rule),
                thousands(rule.failing_before),
                thousands(rule.failing_after),
            ];
            if job.dry_run {
                row.push(thousands(rule.entered_quarantine.unwrap_or_default()));
                row.push(thousands(rule.left_quarantine.unwrap_or_default()));
            }
            table.add_row(aligned(3, row));
        }
    }
    any.then_some(table)
}

/// What becomes of the records; where that changed, what became of them before.
fn severity(rule: &RuleDifference) -> String {
    let name = |severity: Option<Severity>| severity.map_or("", Severity::name);
    match (rule.severity_before, rule.severity_after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (before, after) => name(after.or(before)).to_owned(),
    }
}

/// The columns whose values would change, each with an example.
fn columns(job: &Replayed, schema: &str, difference: &Difference) -> String {
    let mapping = job
        .mappings
        .values()
        .find(|mapping| mapping.schema.as_str() == schema);
    let mut text = String::new();
    if let Some((before, after)) = &difference.moved {
        text.push_str(&format!(
            "  {schema}: the rows would move from {before} to {after}\n"
        ));
    }
    for (name, column) in &difference.columns {
        let shown = |value: &Option<String>| shown(mapping, name, value.as_deref());
        text.push_str(&format!(
            "  {schema}.{name}: {} values would change, for example {} to {}\n",
            thousands(column.changed),
            shown(&column.example_before),
            shown(&column.example_after),
        ));
    }
    text
}

/// A value of a table as a person reads it.
fn shown(mapping: Option<&Mapping>, column: &str, value: Option<&str>) -> String {
    let Some(value) = value else {
        return "null".to_owned();
    };
    let columns = mapping.map(|mapping| mapping.columns.iter());
    let mapped = columns.and_then(|mut columns| columns.find(|mapped| mapped.name == column));
    match (mapped.map(|mapped| mapped.column_type), value.parse()) {
        (Some(ColumnType::Price), Ok(price)) => Price(price).to_string(),
        (Some(ColumnType::Timestamp), Ok(time)) => Nanos(time).to_string(),
        _ => value.to_owned(),
    }
}
