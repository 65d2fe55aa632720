//! `scheduler run`: submit a job, work it off in this process, report.

use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use common::archive::Archive;
use common::chunk::JobId;
use common::configuration::document::Refusal;
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::request::JobSource;
use common::source::Sources;
use common::store::{Access, Store, Submission};
use common::time::Nanos;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Global, Run};
use crate::backfill::Backfill;
use crate::exit::{INCOMPLETE, OverBudget, print};
use crate::plan::{Plan, plan};
use crate::progress::{Planning, Seen, follow, thousands};
use crate::report::Report;
use crate::session::{Session, check_switches};
use worker::process::stop_on_signals;

/// Where records come from unless it is the demo.
pub const ORIGIN: &str = "the vendor";
/// Unfinished chunks that a report names.
const UNFINISHED_SHOWN: u32 = 20;

/// Runs the command.
pub async fn run(global: &Global, options: &Run) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let mut file = session.job_file(&options.job)?;
    if let Some(limit) = &options.max_cost {
        file.request.max_cost = Some(parse_dollars(limit)?);
    }
    session.sources(&file)?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let store = open_for_work(&session).await?;
    let complete = run_job(&session, &file, ORIGIN, Arc::clone(&store), stop).await;
    store.close().await;
    Ok(match complete? {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    })
}

/// The database, to work on; its folder and tables are made where they are missing.
pub async fn open_for_work(session: &Session) -> anyhow::Result<Arc<Store>> {
    let store = Store::open(&session.settings.database_url, Access::Work).await?;
    store
        .map(Arc::new)
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
    let request = &file.request;
    let sources = session.sources(file)?;
    let archive = Archive::open(&session.settings.archive_url, origin)?;
    archive.sweep()?;
    store.check_origin(origin).await?;
    // Wrong mappings stop the job before anything is asked or paid.
    let mappings = session.mappings(&request.schemas, &store).await?;
    check_switches(file, &mappings)?;
    let Some(planned) = plan_unless_stopped(file, &sources, &store, began, &stop).await? else {
        return Ok(false);
    };
    check_budget(request.max_cost, &planned)?;
    let submission = store
        .submit(request, origin, &planned.chunks, began)
        .await?;
    tell_plan(&planned, &submission);
    let (spent_before, _) = store.spent(submission.job).await?;
    let (backfill, events) = Backfill::new(
        &session.settings,
        mappings,
        archive,
        submission.job,
        Arc::clone(&store),
        sources,
        stop,
    );
    let before = store.schemas(submission.job).await?;
    let open = before
        .iter()
        .map(|schema| schema.chunks.pending + schema.chunks.running);
    let to_do = open.sum();
    let follower = tokio::spawn(async move { follow(&before, events).await });
    let worked = backfill.work_off().await;
    let seen = follower.await?;
    worked?;
    let run = Finished {
        file,
        job: submission.job,
        seen: &seen,
        to_do,
        spent_before,
        began,
    };
    run.report(&store).await
}

/// The plan and what there is to say about it; `None` when it was stopped.
async fn plan_unless_stopped(
    file: &JobFile,
    sources: &Sources,
    store: &Store,
    now: Nanos,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Plan>> {
    let planning = Planning::begin();
    let source = sources.of(&file.request.source).await?;
    let planned = tokio::select! {
        planned = plan(file, &*source, Some(store), now) => planned?,
        () = stop.cancelled() => {
            tracing::warn!("stopped while planning: nothing was submitted");
            return Ok(None);
        }
    };
    drop(planning);
    for note in &planned.notes {
        tracing::warn!("{note}");
    }
    Ok(Some(planned))
}

/// A run that is over, and what was seen of it.
struct Finished<'a> {
    file: &'a JobFile,
    job: JobId,
    seen: &'a Seen,
    to_do: u64,
    spent_before: Usd,
    began: Nanos,
}

impl Finished<'_> {
    /// Says what is in the tables; whether the job is complete.
    async fn report(&self, store: &Store) -> anyhow::Result<bool> {
        let Some(job) = store.job(self.job).await? else {
            anyhow::bail!("the job disappeared from the database");
        };
        let schemas = store.schemas(job.id).await?;
        let failures = store.rule_failures(job.id).await?;
        let unfinished = store.unfinished(job.id, UNFINISHED_SHOWN).await?;
        let report = Report {
            job: &job,
            counted_by: match self.file.request.source {
                JobSource::Vendor => "the vendor counts",
                JobSource::Files(_) => "the files hold",
            },
            schemas: &schemas,
            failures: &failures,
            unfinished: &unfinished,
            seen: self.seen,
            to_do: self.to_do,
            spent: Usd(job.spent_usd.0 - self.spent_before.0),
            seconds: Nanos::now().seconds_since(self.began),
        };
        print(&report.to_string())?;
        Ok(job.complete)
    }
}

fn check_budget(limit: Option<Usd>, planned: &Plan) -> anyhow::Result<()> {
    match limit {
        Some(limit) if planned.cost() > limit => {
            let cost = planned.cost();
            let message = format!(
                "the job would cost ${cost}, and its limit is ${limit}\n  = help: raise \
                 `max_cost_usd` (or --max-cost), or ask for fewer days, symbols or schemas"
            );
            Err(OverBudget { message }.into())
        }
        _ => Ok(()),
    }
}

fn tell_plan(planned: &Plan, submission: &Submission) {
    if submission.revived > 0 {
        tracing::info!("{} dead chunks will be tried again", submission.revived);
    }
    tracing::info!(
        "{} chunks added to {} open ones: {} records, {} bytes, ${}; {} chunks hold the rest already",
        submission.added,
        planned.open.len(),
        thousands(planned.records()),
        thousands(planned.bytes()),
        planned.cost(),
        planned.covered.len(),
    );
}

fn parse_dollars(text: &str) -> Result<Usd, Refusal> {
    let amount = Usd::from_str(text).ok();
    amount.ok_or_else(|| {
        let message = format!("{text:?} is not an amount of dollars");
        Refusal::of("--max-cost", message, "write for example --max-cost 25.00")
    })
}
