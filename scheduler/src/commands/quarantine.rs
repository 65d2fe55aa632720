//! `scheduler quarantine`: the records that failed a rule, and what today's rules make of them.

use std::process::ExitCode;
use std::sync::Arc;

use common::chunk::ChunkId;
use common::configuration::document::Refusal;
use common::store::quarantine::QuarantineCount;
use common::store::replay::ReplayScope;
use common::store::{Access, QuarantineFilter, Quarantined, Store};
use tokio_util::sync::CancellationToken;

use super::replay::tell;
use super::run::open_existing;
use crate::arguments::{Global, Quarantine, QuarantineList, QuarantineRetry, QuarantineShow};
use crate::exit::print;
use crate::progress::{counted, thousands};
use crate::replay::{Mode, Replayed, find_job, go};
use crate::report::{aligned, plain_table};
use crate::session::Session;
use worker::process::stop_on_signals;

/// Runs the command.
pub async fn run(global: &Global, command: &Quarantine) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    match command {
        Quarantine::List(options) => list(&session, options).await,
        Quarantine::Show(options) => show(&session, options).await,
        Quarantine::Retry(options) => retry(&session, options).await,
    }
}

async fn list(session: &Session, options: &QuarantineList) -> anyhow::Result<ExitCode> {
    let mut filter = QuarantineFilter {
        job: None,
        rule: options.rule.clone(),
        chunk: options.chunk.map(ChunkId),
        record_number: None,
    };
    let (mut counts, mut records, mut all) = (Vec::new(), Vec::new(), 0);
    if let Some(store) = Store::open(&session.settings.database_url, Access::Read).await? {
        if let Some(job) = &options.job {
            let (job, _) = find_job(session, &store, job).await?;
            filter.job = Some(job.id.to_string());
        }
        counts = store.quarantined_by_rule(&filter).await?;
        all = store.count_quarantined(&filter).await?;
        records = store.quarantined(&filter, options.limit).await?;
    }
    if options.json {
        let document = serde_json::json!({ "rules": counts, "records": records });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    match records.is_empty() {
        true => print("no quarantined records\n")?,
        false => print(&describe_list(&counts, &records, all))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn describe_list(counts: &[QuarantineCount], records: &[Quarantined], all: u64) -> String {
    let mut rules = plain_table(&["job", "schema", "rule", "records"]);
    for count in counts {
        rules.add_row(aligned(
            3,
            vec![
                count.job.clone(),
                count.schema.clone(),
                count.rule.clone(),
                thousands(count.records),
            ],
        ));
    }
    let mut table = plain_table(&["record", "schema", "time", "instrument", "rule", "found"]);
    for record in records {
        table.add_row([
            format!("{}:{}", record.chunk, record.record_number),
            record.schema.clone(),
            record.index_time.clone(),
            record.instrument_id.to_string(),
            failed(record),
            record.found.clone(),
        ]);
    }
    let shown = thousands(u64::try_from(records.len()).unwrap_or(u64::MAX));
    format!(
        "{rules}\n{table}\nshown: {shown} of {} (--limit); `scheduler quarantine show CHUNK:RECORD` \
         shows one whole\n",
        counted(all, "record")
    )
}

async fn show(session: &Session, options: &QuarantineShow) -> anyhow::Result<ExitCode> {
    let wanted = &options.record;
    let parsed = wanted
        .split_once(':')
        .and_then(|(chunk, record)| Some((chunk.parse().ok()?, record.parse().ok()?)));
    let Some((chunk, record_number)) = parsed else {
        let help = "write CHUNK:RECORD as `scheduler quarantine list` does, for example 12:3456";
        return Err(Refusal::of(wanted, "this names no record", help).into());
    };
    let filter = QuarantineFilter {
        chunk: Some(ChunkId(chunk)),
        record_number: Some(record_number),
        ..QuarantineFilter::default()
    };
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let found = match store {
        Some(store) => store.quarantined(&filter, 1).await?,
        None => Vec::new(),
    };
    let Some(record) = found.first() else {
        let help = "`scheduler quarantine list` shows those that are";
        return Err(Refusal::of(wanted, "this record is not in the quarantine", help).into());
    };
    match options.json {
        true => print(&format!("{}\n", serde_json::to_string_pretty(record)?))?,
        false => print(&describe(record)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All rules that a record failed.
fn failed(record: &Quarantined) -> String {
    let failed = record.failed.as_array().into_iter().flatten();
    let failed: Vec<_> = failed.filter_map(|rule| rule.as_str()).collect();
    failed.join(", ")
}

fn describe(record: &Quarantined) -> anyhow::Result<String> {
    let lines = [
        ("job", format!("{} ({})", record.job_name, record.job)),
        (
            "record",
            format!("{}:{}", record.chunk, record.record_number),
        ),
        ("schema", format!("{} {}", record.dataset, record.schema)),
        ("time", record.index_time.clone()),
        ("instrument", record.instrument_id.to_string()),
        ("fails", failed(record)),
        ("found", record.found.clone()),
        ("severity", record.severity.to_string()),
        ("attempt", record.attempt.to_string()),
        ("rules", format!("version {}", record.rules_version)),
        ("since", record.quarantined_at.clone()),
        (
            "archived in",
            record.archive_object.clone().unwrap_or_default(),
        ),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{name:>12}  {value}\n"));
    }
    text.push_str(&format!(
        "{}\n",
        serde_json::to_string_pretty(&record.record)?
    ));
    Ok(text)
}

async fn retry(session: &Session, options: &QuarantineRetry) -> anyhow::Result<ExitCode> {
    let mode = Mode {
        scope: ReplayScope::Quarantined,
        dry_run: options.dry_run,
    };
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let mut replayed = Vec::new();
    if let Some(store) = open_existing(session, !mode.dry_run).await? {
        let done = retry_jobs(session, &store, options, mode, &stop).await;
        store.close().await;
        replayed = done?;
    }
    if replayed.is_empty() && !options.json {
        print("no chunk has quarantined records, and none is dead\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(&replayed, options.json)
}

async fn retry_jobs(
    session: &Session,
    store: &Arc<Store>,
    options: &QuarantineRetry,
    mode: Mode,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Replayed>> {
    if let Some(wanted) = &options.job {
        let (job, file) = find_job(session, store, wanted).await?;
        return Ok(vec![
            go(session, store, job, file.as_ref(), mode, stop).await?,
        ]);
    }
    let mut replayed = Vec::new();
    for job in store.jobs(None).await? {
        let of_job = go(session, store, job, None, mode, stop).await?;
        let stopped = of_job.stopped;
        // Jobs with nothing to decide about are not worth a line.
        if of_job.chunks + of_job.current > 0 || !of_job.kept.is_empty() || stopped {
            replayed.push(of_job);
        }
        if stopped {
            break;
        }
    }
    Ok(replayed)
}
