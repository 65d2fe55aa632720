//! From a job file to a submitted job: mappings checked, planned, within the budget, in the database.

use std::collections::HashMap;
use std::str::FromStr;

use common::archive::Archive;
use common::configuration::document::Refusal;
use common::configuration::job_file::JobFile;
use common::configuration::mapping::Mapping;
use common::money::Usd;
use common::request::JobSource;
use common::source::{Sources, chain};
use common::store::{Store, StoreError, Submission};
use common::time::Nanos;
use dbn::Schema;
use tokio_util::sync::CancellationToken;
use worker::trace::{self, Span};

use crate::arguments::JobArguments;
use crate::budget;
use crate::exit::OverBudget;
use crate::plan::archived::saving;
use crate::plan::{Plan, plan};
use crate::progress::{Planning, thousands};
use crate::session::{Session, check_switches};

/// A job that may be submitted: its mappings are in order, and its plan is within the budget.
#[derive(Debug)]
pub struct Prepared {
    /// The mappings of its schemas.
    pub mappings: HashMap<Schema, Mapping>,
    /// What is missing.
    pub plan: Plan,
    origin: String,
    planned_at: Nanos,
    trace: Span,
}

/// The job file that is meant, with the flags that change it.
pub fn job_file(
    session: &Session,
    arguments: &JobArguments,
    max_cost: Option<&str>,
) -> Result<JobFile, Refusal> {
    let mut file = session.job_file(arguments)?;
    if let Some(limit) = max_cost {
        file.request.max_cost = Some(parse_dollars(limit)?);
    }
    Ok(file)
}

/// Checks and plans a job; `None` when it was stopped meanwhile. Nothing is changed.
pub async fn prepare(
    session: &Session,
    file: &JobFile,
    origin: &str,
    sources: &Sources,
    store: &Store,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Prepared>> {
    trace::begin("backhaul-scheduler");
    let trace = Span::root("submit");
    trace.text("backhaul.name", &file.request.name);
    let prepared = prepare_traced(session, file, origin, sources, store, stop, &trace).await;
    prepared.inspect_err(|error| trace.failed(&format!("{error:#}")))
}

async fn prepare_traced(
    session: &Session,
    file: &JobFile,
    origin: &str,
    sources: &Sources,
    store: &Store,
    stop: &CancellationToken,
    trace: &Span,
) -> anyhow::Result<Option<Prepared>> {
    let planned_at = Nanos::now();
    store.check_origin(origin).await?;
    // Wrong mappings stop the job before anything is asked or paid.
    let mappings = session.mappings(&file.request.schemas, store).await?;
    check_switches(file, &mappings)?;
    let planning = trace.child("plan");
    let planned = plan_unless_stopped(file, sources, store, planned_at, stop).await?;
    planning.end();
    let Some(mut plan) = planned else {
        return Ok(None);
    };
    let pricing = trace.child("price");
    let source = sources.of(&file.request.source).await?;
    let archive = Archive::open(&session.settings.archive_url, origin)?;
    plan.look_up(&file.request, &*source, &archive).await?;
    let refused = budget::refusal(&session.settings, Some(store), &file.request, &plan);
    if let Some(message) = refused.await? {
        return Err(OverBudget { message }.into());
    }
    pricing.end();
    Ok(Some(Prepared {
        mappings,
        plan,
        origin: origin.to_owned(),
        planned_at,
        trace: trace.clone(),
    }))
}

impl Prepared {
    /// Submits it in one transaction; what the vendor said of its days is kept before.
    pub async fn submit(&self, file: &JobFile, store: &Store) -> Result<Submission, StoreError> {
        let request = &file.request;
        let writing = self.trace.child("write");
        if request.source == JobSource::Vendor {
            let (dataset, days) = (&request.dataset, request.days);
            let noted = &self.plan.conditions;
            store
                .note_conditions(dataset, days, noted, self.planned_at)
                .await?;
        }
        let (chunks, now) = (&self.plan.chunks, self.planned_at);
        let traceparent = self.trace.traceparent();
        let traceparent = traceparent.as_deref();
        let submitted = store
            .submit_traced(request, &self.origin, chunks, now, traceparent)
            .await
            .inspect_err(|error| self.trace.failed(&chain(error)))?;
        writing.end();
        self.trace
            .number("backhaul.job", submitted.job.0.unsigned_abs());
        self.trace.number("backhaul.chunks", submitted.added);
        self.trace.end();
        if let Some(trace_id) = self.trace.trace_id() {
            tracing::info!(trace_id, job = submitted.job.0, "a submission is traced");
        }
        Ok(submitted)
    }
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

/// Logs what was planned and submitted.
pub fn tell_plan(planned: &Plan, submission: &Submission) {
    if submission.revived > 0 {
        tracing::info!("{} dead chunks will be tried again", submission.revived);
    }
    tracing::info!(
        "{} chunks added to {} open ones: {} records, {} bytes, ${}{}; {} chunks hold the rest already",
        submission.added,
        planned.open.len(),
        thousands(planned.records()),
        thousands(planned.bytes()),
        planned.cost(),
        saving(planned.saved()),
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
