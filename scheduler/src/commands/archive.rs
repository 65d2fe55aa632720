//! `scheduler archive verify`: every archived stream read again and compared; repaired for its price.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use common::archive::Manifest;
use common::money::Usd;
use common::request::JobSource;
use common::store::{LedgerStream, Replayable, Store, StoreError};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use worker::environment::Environment;
use worker::error::{ChunkError, chain};
use worker::process::stop_on_signals;
use worker::refresh::{concerns_all, fetch_again};

use super::run::open_existing;
use crate::archive_check::{Flawed, Verified, verify};
use crate::arguments::{ArchiveVerify, Global};
use crate::exit::{INCOMPLETE, print};
use crate::progress::{counted, thousands};
use crate::refresh::{changed, count, environment};
use crate::session::Session;
use crate::submitted::find;
use crate::turn::alone;

/// A flawed stream that can be fetched again.
struct Repair {
    flawed: Flawed,
    /// A chunk that asks for it; `None` where none does any more.
    chunk: Option<Replayable>,
    /// Its price today.
    cost: Usd,
    outcome: Option<Outcome>,
}

enum Outcome {
    Replaced,
    /// The vendor has other records by now.
    Other(u64),
    Kept(String),
}

/// Runs the command.
pub async fn verify_archive(global: &Global, options: &ArchiveVerify) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let store = open_existing(&session, options.yes).await?;
    let Some(store) = store else {
        print("there is no database yet, and so no archived stream that it knows\n")?;
        return Ok(ExitCode::SUCCESS);
    };
    let verified = verify_with(&session, &store, options, &stop);
    let code = match options.yes {
        true => alone(&store, &stop, verified).await,
        false => verified.await,
    };
    store.close().await;
    code
}

async fn verify_with(
    session: &Session,
    store: &Arc<Store>,
    options: &ArchiveVerify,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let job = match &options.job {
        Some(wanted) => Some(find(store, wanted).await?.id),
        None => None,
    };
    let archive = session.archive()?;
    let bar = bar(store.count_archived_streams(job).await?);
    let mut verified = verify(store, &archive, job, &bar).await?;
    bar.finish_and_clear();
    let flawed = std::mem::take(&mut verified.flawed);
    let mut repairs: Vec<_> = flawed.into_iter().map(Repair::not_priced).collect();
    let mut refused = None;
    if options.repair && !repairs.is_empty() {
        store.check_origin(session.settings.origin()).await?;
        let environment =
            environment(session, store, std::collections::HashMap::new(), stop).await?;
        price(&environment, &mut repairs).await?;
        if options.yes {
            refused = repair(&environment, &mut repairs).await.err();
        }
    }
    print(&match options.json {
        true => in_json(&verified, &repairs)?,
        false => describe(&verified, &repairs, options),
    })?;
    if let Some(error) = refused {
        return Err(error);
    }
    let remains = |repair: &Repair| !matches!(repair.outcome, Some(Outcome::Replaced));
    Ok(match repairs.iter().any(remains) {
        true => ExitCode::from(INCOMPLETE),
        false => ExitCode::SUCCESS,
    })
}

impl Repair {
    fn not_priced(flawed: Flawed) -> Self {
        Self {
            flawed,
            chunk: None,
            cost: Usd(0),
            outcome: None,
        }
    }
}

/// Finds who asks for each stream, and what it costs today.
async fn price(environment: &Environment, repairs: &mut [Repair]) -> anyhow::Result<()> {
    let source = environment.sources.of(&JobSource::Vendor).await?;
    for repair in repairs {
        let key = &repair.flawed.ledger.key;
        repair.chunk = environment.store.chunk_of_stream(key).await?;
        if let Some(chunk) = &mut repair.chunk {
            let claimed = &mut chunk.claim.chunk;
            // Definitions of some symbols may have been taken from those of all.
            if let Ok(Some(manifest)) = read_manifest(environment, key).await {
                claimed.symbols = manifest.request.symbols.clone();
                claimed.stype_in = manifest
                    .request
                    .stype_in
                    .parse()
                    .unwrap_or(claimed.stype_in);
            }
            let request = claimed.range_request();
            if count(&*source, &request).await? > 0 {
                repair.cost = source.cost(&request).await?;
            }
        }
    }
    Ok(())
}

/// A manifest, whatever its objects are like.
async fn read_manifest(environment: &Environment, key: &str) -> anyhow::Result<Option<Manifest>> {
    let (objects, key) = (environment.archive.objects(), key.to_owned());
    Ok(tokio::task::spawn_blocking(move || objects.read_manifest(&key)).await??)
}

/// Fetches each again, as a later revision; where it has what the ledger says, it takes the former's
/// place. What would be so for each, as a budget that would be passed or a key that is refused, ends it.
async fn repair(environment: &Environment, repairs: &mut [Repair]) -> anyhow::Result<()> {
    for repair in repairs {
        let Some(chunk) = &repair.chunk else { continue };
        if environment.stop.is_cancelled() {
            return Ok(());
        }
        repair.outcome = Some(match one(environment, &repair.flawed, chunk).await {
            Ok(outcome) => outcome,
            Err(ChunkError::Store(
                error @ (StoreError::OverBudget { .. }
                | StoreError::Database(_)
                | StoreError::Away(_)
                | StoreError::DiskFull),
            )) => return Err(error.into()),
            Err(error) if concerns_all(&error) => return Err(error.into()),
            Err(error) => Outcome::Kept(chain(&error)),
        });
    }
    Ok(())
}

async fn one(
    environment: &Environment,
    flawed: &Flawed,
    chunk: &Replayable,
) -> Result<Outcome, ChunkError> {
    let ledger = &flawed.ledger;
    let at_least = common::archive::revision_of(&ledger.key) + 1;
    let Some(manifest) = fetch_again(environment, &chunk.claim, at_least).await? else {
        return Ok(Outcome::Other(0));
    };
    let now = (manifest.records, manifest.billable_bytes);
    let as_many = now == (ledger.records, ledger.billable_bytes);
    if manifest.sha256 != ledger.sha256
        && (!as_many || is_rewritten(environment, ledger, chunk, &manifest).await?)
    {
        return Ok(Outcome::Other(manifest.records));
    }
    environment
        .store
        .replace_stream(&ledger.key, &manifest)
        .await?;
    let (objects, former) = (environment.archive.objects(), ledger.key.clone());
    let removed = tokio::task::spawn_blocking(move || objects.remove_stream(&former)).await;
    let removed = removed.map_err(|error| ChunkError::Panic(error.to_string()))?;
    removed.map_err(ChunkError::Archive)?;
    Ok(Outcome::Replaced)
}

/// Whether the vendor has changed one of the days since the former stream was fetched: as many records
/// are not the same records then, and the rows in the tables would not be those of the archive.
async fn is_rewritten(
    environment: &Environment,
    ledger: &LedgerStream,
    chunk: &Replayable,
    manifest: &Manifest,
) -> Result<bool, ChunkError> {
    let (objects, key) = (environment.archive.objects(), ledger.key.clone());
    let former = tokio::task::spawn_blocking(move || objects.read_manifest(&key)).await;
    let former = former.map_err(|error| ChunkError::Panic(error.to_string()))?;
    let former = former.map_err(ChunkError::Archive)?;
    let now = manifest.conditions.iter().map(|of| (of.day, *of)).collect();
    let days = chunk.claim.chunk.days;
    Ok(!changed(days, former.as_ref(), ledger.fetched_at, &now).is_empty())
}

fn bar(streams: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {pos:>5}/{len:<5} archived streams, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(streams).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn total(repairs: &[Repair]) -> Usd {
    Usd(repairs.iter().map(|repair| repair.cost.0).sum())
}

fn in_json(verified: &Verified, repairs: &[Repair]) -> anyhow::Result<String> {
    let damaged = repairs.iter().map(|repair| {
        let mut entry = json!({
            "key": repair.flawed.ledger.key,
            "flaw": repair.flawed.flaw.to_string(),
            "records": repair.flawed.ledger.records,
        });
        if let Some(chunk) = &repair.chunk {
            entry["chunk"] = json!(chunk.claim.chunk.id);
            entry["cost_usd"] = json!(repair.cost);
        }
        entry["outcome"] = match &repair.outcome {
            Some(Outcome::Replaced) => json!("replaced"),
            Some(Outcome::Other(records)) => json!({ "records_now": records }),
            Some(Outcome::Kept(error)) => json!({ "error": error }),
            None => Value::Null,
        };
        entry
    });
    let document = json!({
        "streams": verified.streams,
        "bytes": verified.bytes,
        "damaged": damaged.collect::<Vec<_>>(),
        "unknown": verified.unknown,
        "cost_usd": total(repairs),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn describe(verified: &Verified, repairs: &[Repair], options: &ArchiveVerify) -> String {
    let mut text = String::new();
    for repair in repairs {
        let ledger = &repair.flawed.ledger;
        text.push_str(&format!(
            "  damaged: {}: {}\n",
            ledger.key, repair.flawed.flaw
        ));
        let more = match (&repair.outcome, &repair.chunk) {
            (Some(Outcome::Replaced), _) => "fetched again, and whole".to_owned(),
            (Some(Outcome::Other(records)), _) => format!(
                "the vendor has rewritten it: {} by now, {} then; `scheduler refresh` takes them over",
                counted(*records, "record"),
                thousands(ledger.records)
            ),
            (Some(Outcome::Kept(error)), _) => format!("could not be fetched: {error}"),
            (None, Some(_)) => format!("to be fetched again for ${}", repair.cost),
            (None, None) if options.repair => "no done chunk asks the vendor for it".to_owned(),
            (None, None) => continue,
        };
        text.push_str(&format!("    {more}\n"));
    }
    for name in &verified.unknown {
        text.push_str(&format!("  unknown to the ledger: {name}\n"));
    }
    let streams = counted(verified.streams, "archived stream");
    let bytes = thousands(verified.bytes);
    text.push_str(&match repairs.len() {
        0 => format!("{streams} of {bytes} bytes read: all are as they were received\n"),
        damaged => format!(
            "{streams} of {bytes} bytes read: {} damaged or missing; the rows in the tables are not \
             touched by that\n",
            thousands(common::as_u64(damaged))
        ),
    });
    if !repairs.is_empty() && !options.yes {
        text.push_str(&match options.repair {
            true => format!("in all ${}; --repair --yes fetches them\n", total(repairs)),
            false => "--repair shows what it costs to fetch them again\n".to_owned(),
        });
    }
    text
}
