//! `scheduler refresh`: days that the vendor rewrote since they were fetched, priced; and swapped.

use std::process::ExitCode;
use std::sync::Arc;

use common::configuration::document::Refusal;
use common::money::Usd;
use common::request::JobSource;
use common::store::{JobStatus, Store, StoreError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use worker::environment::Environment;
use worker::error::{ChunkError, chain};
use worker::process::stop_on_signals;
use worker::refresh::{Refreshed, concerns_all, refresh};

use super::run::open_existing;
use crate::arguments::{Global, Refresh};
use crate::exit::{INCOMPLETE, print};
use crate::progress::{counted, thousands};
use crate::refresh::{Outdated, environment, outdated};
use crate::report::{aligned, plain_table};
use crate::session::Session;
use crate::submitted::{find, title};
use crate::turn::alone;

/// What became of a chunk.
enum Outcome {
    Done(Refreshed, bool),
    Kept(String),
}

/// Runs the command.
pub async fn run(global: &Global, options: &Refresh) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let store = open_existing(&session, options.yes).await?;
    let store = store.ok_or_else(|| {
        let help = "`scheduler run` submits a job and loads it";
        Refusal::of(&options.job, "there is no database yet", help)
    })?;
    let refreshed = refresh_job(&session, &store, options, &stop);
    let refreshed = match options.yes {
        true => alone(&store, &stop, refreshed).await,
        false => refreshed.await,
    };
    store.close().await;
    refreshed
}

async fn refresh_job(
    session: &Session,
    store: &Arc<Store>,
    options: &Refresh,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let job = find(store, &options.job).await?;
    // A simulation's records are not the vendor's to rewrite.
    store.check_origin(session.settings.origin()).await?;
    let schemas = store.schemas(job.id).await?;
    let schemas: Vec<_> = schemas.into_iter().map(|status| status.schema).collect();
    let mappings = session.mappings(&schemas, store).await?;
    let environment = environment(session, store, mappings, stop).await?;
    let source = environment.sources.of(&JobSource::Vendor).await?;
    let found = outdated(store, &environment.archive, &*source, &job).await?;
    let cost = Usd(found.iter().map(|outdated| outdated.cost.0).sum());
    let mut outcomes = Vec::new();
    let mut refused = None;
    if options.yes {
        for outdated in &found {
            if stop.is_cancelled() {
                break;
            }
            match one(&environment, outdated).await {
                Err(error) => {
                    refused = Some(error);
                    break;
                }
                Ok(outcome) => outcomes.push(outcome),
            }
        }
    }
    print(&match options.json {
        true => in_json(&job, &found, &outcomes, cost)?,
        false => describe(&job, &found, &outcomes, cost, options.yes),
    })?;
    if let Some(error) = refused {
        return Err(error);
    }
    let kept = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Kept(_)));
    Ok(
        match kept || (options.yes && outcomes.len() < found.len()) {
            true => ExitCode::from(INCOMPLETE),
            false => ExitCode::SUCCESS,
        },
    )
}

/// Refreshes one chunk. What would be so for each, as a budget that would be passed or a key that is
/// refused, ends the command; what is wrong with one chunk concerns it alone.
async fn one(environment: &Environment, outdated: &Outdated) -> anyhow::Result<Outcome> {
    match refresh(environment, &outdated.chunk.chunk, outdated.at_least).await {
        Ok(refreshed) => {
            let same = match &refreshed {
                Refreshed::Swapped { manifest, .. } => outdated.is_same(manifest),
                Refreshed::Empty { .. } => false,
            };
            Ok(Outcome::Done(refreshed, same))
        }
        Err(ChunkError::Store(
            error @ (StoreError::OverBudget { .. }
            | StoreError::Database(_)
            | StoreError::Away(_)
            | StoreError::DiskFull),
        )) => Err(error.into()),
        Err(error) if concerns_all(&error) => Err(error.into()),
        Err(error) => Ok(Outcome::Kept(chain(&error))),
    }
}

fn in_json(
    job: &JobStatus,
    found: &[Outdated],
    outcomes: &[Outcome],
    cost: Usd,
) -> anyhow::Result<String> {
    let chunks: Vec<_> = found
        .iter()
        .enumerate()
        .map(|(index, outdated)| {
            let chunk = &outdated.chunk.chunk.claim.chunk;
            let mut entry = json!({
                "chunk": chunk.id,
                "schema": chunk.schema.as_str(),
                "days": chunk.days.to_string(),
                "changed": outdated.days.iter().map(|changed| json!({
                    "day": changed.day.to_string(), "why": changed.why,
                })).collect::<Vec<_>>(),
                "records_before": outdated.records_before(),
                "records_now": outdated.records,
                "cost_usd": outdated.cost,
                "archived": outdated.archived,
            });
            if let Some(outcome) = outcomes.get(index) {
                entry["outcome"] = outcome_json(outcome);
            }
            entry
        })
        .collect();
    let document = json!({
        "job": job.id,
        "name": job.name,
        "chunks": chunks,
        "cost_usd": cost,
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Done(
            Refreshed::Swapped {
                manifest,
                difference,
            },
            same,
        ) => json!({
            "state": "done",
            "same": same,
            "revision": manifest.revision,
            "archive_object": manifest.key,
            "difference": difference,
        }),
        Outcome::Done(Refreshed::Empty { difference }, _) => json!({
            "state": "empty",
            "difference": difference,
        }),
        Outcome::Kept(error) => json!({ "error": error }),
    }
}

fn describe(
    job: &JobStatus,
    found: &[Outdated],
    outcomes: &[Outcome],
    cost: Usd,
    yes: bool,
) -> String {
    let title = title(job);
    if found.is_empty() {
        return format!(
            "{title}: the vendor has rewritten none of its days since they were fetched\n"
        );
    }
    let head = [
        "chunk",
        "schema",
        "days",
        "why",
        "records then",
        "now",
        "dollars",
        "",
    ];
    let mut table = plain_table(&head);
    for (index, outdated) in found.iter().enumerate() {
        let chunk = &outdated.chunk.chunk.claim.chunk;
        table.add_row(aligned(
            4,
            vec![
                chunk.id.to_string(),
                chunk.schema.to_string(),
                chunk.days.to_string(),
                why(outdated),
                thousands(outdated.records_before()),
                thousands(outdated.records),
                match outdated.archived {
                    true => "archived".to_owned(),
                    false => outdated.cost.to_string(),
                },
                outcomes.get(index).map_or_else(String::new, became),
            ],
        ));
    }
    let chunks = counted(common::as_u64(found.len()), "chunk");
    let verdict = match yes {
        false => format!("{chunks} for ${cost}; --yes fetches and swaps them"),
        true => {
            let done = |outcome: &&Outcome| matches!(outcome, Outcome::Done(..));
            let done = common::as_u64(outcomes.iter().filter(done).count());
            format!("{} of {chunks} refreshed", thousands(done))
        }
    };
    format!("{table}\n{title}: {verdict}\n")
}

fn why(outdated: &Outdated) -> String {
    let days: Vec<_> = outdated
        .days
        .iter()
        .map(|changed| format!("{} {}", changed.day, changed.why))
        .collect();
    match days.as_slice() {
        [first, .., last] if days.len() > 3 => format!("{first} … {last}"),
        _ => days.join(", "),
    }
}

fn became(outcome: &Outcome) -> String {
    let rows =
        |before: u64, after: u64| format!("rows {} → {}", thousands(before), thousands(after));
    match outcome {
        Outcome::Done(Refreshed::Swapped { .. }, true) => "the same records".to_owned(),
        Outcome::Done(Refreshed::Swapped { difference, .. }, false) => {
            rows(difference.rows_before, difference.rows_after)
        }
        Outcome::Done(Refreshed::Empty { difference }, _) => {
            format!("empty: {}", rows(difference.rows_before, 0))
        }
        Outcome::Kept(error) => format!("stays as it is: {error}"),
    }
}
