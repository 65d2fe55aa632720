//! `scheduler run`: submit a job, work it off in this process, report.

use std::process::ExitCode;
use std::sync::Arc;

use common::archive::Archive;
use common::configuration::job_file::JobFile;
use common::store::{Access, Store};
use common::time::Nanos;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Global, Run};
use crate::backfill::Backfill;
use crate::exit::{INCOMPLETE, print};
use crate::progress::follow;
use crate::report::Finished;
use crate::session::Session;
use crate::submission::{job_file, prepare, tell_plan};
use worker::process::stop_on_signals;

/// Runs the command.
pub async fn run(global: &Global, options: &Run) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let file = job_file(&session, &options.file, options.max_cost.as_deref())?;
    session.sources(&file).await?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let store = open_for_work(&session).await?;
    let complete = run_job(
        &session,
        &file,
        session.settings.origin(),
        Arc::clone(&store),
        stop,
    )
    .await;
    store.close().await;
    Ok(match complete? {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    })
}

/// The database, to change what is in it or only to look; none is made where there is none.
pub async fn open_existing(
    session: &Session,
    to_change: bool,
) -> anyhow::Result<Option<Arc<Store>>> {
    if to_change && Store::exists(&session.settings.database_url)? {
        return open_for_work(session).await.map(Some);
    }
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    Ok(store.map(Arc::new))
}

/// The database, to work on; its folder and tables are made where they are missing.
pub async fn open_for_work(session: &Session) -> anyhow::Result<Arc<Store>> {
    let store = Store::open(&session.settings.database_url, Access::Work).await?;
    let budget = session.settings.budget_usd;
    store
        .map(|store| Arc::new(store.within_budget(budget)))
        .ok_or_else(|| anyhow::anyhow!("the database was not made"))
}

/// Plans, submits, works off and reports a job; whether it is complete.
pub async fn run_job(
    session: &Session,
    file: &JobFile,
    origin: &str,
    store: Arc<Store>,
    stop: CancellationToken,
) -> anyhow::Result<bool> {
    let began = Nanos::now();
    let sources = session.sources(file).await?;
    let archive = Archive::open(&session.settings.archive_url, origin)?;
    archive.sweep()?;
    let prepared = prepare(session, file, origin, &sources, &store, &stop).await?;
    let Some(prepared) = prepared else {
        return Ok(false);
    };
    let submission = prepared.submit(file, &store).await?;
    tell_plan(&prepared.plan, &submission);
    let job = submission.job;
    let (spent_before, _) = store.spent(job).await?;
    let (backfill, events) = Backfill::new(
        &session.settings,
        prepared.mappings,
        archive,
        job,
        Arc::clone(&store),
        sources,
        stop,
    );
    let before = store.schemas(job).await?;
    let open = before
        .iter()
        .map(|schema| schema.chunks.pending + schema.chunks.running);
    let to_do = open.sum();
    let worker = backfill.worker();
    let follower = tokio::spawn(async move { follow(&before, events, worker).await });
    let worked = backfill.work_off().await;
    let seen = follower.await?;
    worked?;
    let finished = Finished {
        source: &file.request.source,
        job,
        seen: Some(&seen),
        stopped: seen.stopped.as_deref(),
        to_do,
        spent_before,
        began,
    };
    let (report, complete) = finished.report(&store).await?;
    print(&report)?;
    Ok(complete)
}
