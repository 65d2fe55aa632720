//! `scheduler status`: jobs, their counts, the proof of completeness, and what is missing.

mod proof;

use std::process::ExitCode;

use common::configuration::document::Refusal;
use common::store::{Access, JobStatus, Store};
use serde_json::Value;

use crate::arguments::{Global, Status};
use crate::exit::print;
use crate::progress::thousands;
use crate::report::{
    describe_conditions, describe_failures, describe_unfinished, plain_table, right_aligned,
};
use crate::session::Session;

/// Unfinished chunks that are named for each job.
const UNFINISHED_SHOWN: u32 = 20;

/// Runs the command.
pub async fn run(global: &Global, options: &Status) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    if let (Some(wanted), true) = (&options.job, options.proof) {
        let telling = proof::Telling {
            json: options.json,
            all: options.all,
        };
        let store = store.ok_or_else(|| not_submitted(wanted))?;
        return proof::run(&session, &store, wanted, telling).await;
    }
    let jobs = match &store {
        Some(store) => store.jobs(options.job.as_deref()).await?,
        None => Vec::new(),
    };
    if let (Some(wanted), true) = (&options.job, jobs.is_empty()) {
        return Err(not_submitted(wanted).into());
    }
    if options.json {
        let document = serde_json::json!({ "jobs": with_rules(store.as_ref(), &jobs).await? });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    match &store {
        Some(store) if !jobs.is_empty() => print(&describe(store, &jobs).await?)?,
        _ => print("no jobs yet: try `scheduler demo`, or `scheduler run JOB.yaml`\n")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn not_submitted(wanted: &str) -> Refusal {
    let help = "`scheduler status` shows all jobs that were submitted";
    Refusal::of(wanted, "no job of this name or number was submitted", help)
}

/// The jobs, each with how often its rules failed, and the days that the vendor flags.
async fn with_rules(store: Option<&Store>, jobs: &[JobStatus]) -> anyhow::Result<Vec<Value>> {
    let mut entries = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut entry = serde_json::to_value(job)?;
        if let Some(store) = store {
            let failures = store.rule_failures(job.id).await?.into_iter();
            let failures = failures.map(|(schema, failed)| {
                serde_json::json!({
                    "schema": schema,
                    "rule": failed.rule,
                    "severity": failed.severity,
                    "records": failed.records,
                })
            });
            entry["rules"] = failures.collect();
            entry["flagged_days"] = serde_json::to_value(store.flagged_days(job.id).await?)?;
        }
        entries.push(entry);
    }
    Ok(entries)
}

async fn describe(store: &Store, jobs: &[JobStatus]) -> anyhow::Result<String> {
    let mut table = plain_table(&[
        "job",
        "name",
        "state",
        "chunks",
        "done",
        "empty",
        "pending",
        "running",
        "dead",
        "expected",
        "fetched",
        "loaded",
        "quarantined",
        "covered",
        "dollars",
    ]);
    let mut notes = String::new();
    for job in jobs {
        let (chunks, records) = (job.chunks, job.records);
        let mut row = vec![job.id.to_string(), job.name.clone(), job.state.to_owned()];
        let numbers = [
            chunks.total,
            chunks.done,
            chunks.empty,
            chunks.pending,
            chunks.running,
            chunks.dead,
            records.expected,
            records.fetched,
            records.loaded,
            records.quarantined,
            records.covered,
        ];
        row.extend(numbers.map(thousands));
        row.push(job.spent_usd.to_string());
        table.add_row(right_aligned(row));
        let verdict = if job.complete {
            "complete"
        } else {
            "incomplete"
        };
        notes.push_str(&format!("{} ({}): {verdict}\n", job.name, job.id));
        if let Some(reason) = &job.reason {
            let decided = match job.state {
                "cancelled" => "cancelled",
                _ => "paused",
            };
            notes.push_str(&format!("  {decided}: {reason}\n"));
        }
        notes.push_str(&describe_failures(&store.rule_failures(job.id).await?));
        notes.push_str(&describe_conditions(&store.flagged_days(job.id).await?));
        notes.push_str(&describe_unfinished(
            &store.unfinished(job.id, UNFINISHED_SHOWN).await?,
        ));
    }
    Ok(format!("{table}\n{notes}"))
}
