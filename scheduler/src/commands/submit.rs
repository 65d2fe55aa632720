//! `scheduler submit`: put a job into the database for the fleet's workers, and tell them.

use std::process::ExitCode;

use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::source::Sources;
use common::store::{Access, JobStatus, Store, Submission};
use common::time::Nanos;
use tokio_util::sync::CancellationToken;
use worker::process::stop_quietly;

use crate::arguments::{Global, Submit};
use crate::exit::{INCOMPLETE, print};
use crate::following::until_it_stands_still;
use crate::hints::tell_workers;
use crate::plan::Plan;
use crate::plan::archived::{cost_of, saved_of, saving};
use crate::progress::{counted, thousands};
use crate::report::Finished;
use crate::session::Session;
use crate::submission::{Prepared, job_file, prepare};

/// Runs the command.
pub async fn run(global: &Global, options: &Submit) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let file = job_file(&session, &options.file, options.max_cost.as_deref())?;
    let sources = session.sources(&file).await?;
    let stop = stop_quietly()?;
    let store = open(&session).await?;
    let ended = go(&session, options, &file, &sources, &store, &stop).await;
    store.close().await;
    ended
}

/// The database, beside whoever works on it; made where it is missing.
async fn open(session: &Session) -> anyhow::Result<Store> {
    let url = &session.settings.database_url;
    if !Store::exists(url)? {
        Store::migrate(url).await?;
    }
    let store = Store::open(url, Access::Control).await?;
    store.ok_or_else(|| anyhow::anyhow!("the database was not made"))
}

async fn go(
    session: &Session,
    options: &Submit,
    file: &JobFile,
    sources: &Sources,
    store: &Store,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let began = Nanos::now();
    let prepared = prepare(
        session,
        file,
        session.settings.origin(),
        sources,
        store,
        stop,
    )
    .await?;
    let Some(prepared) = prepared else {
        return Ok(ExitCode::from(INCOMPLETE));
    };
    let before = match store.job_of(&file.request).await? {
        Some(job) => store.job(job).await?,
        None => None,
    };
    let submission = prepared.submit(file, store).await?;
    let hints = tell_workers(&session.settings, store, submission.job).await?;
    let submitted = Submitted {
        file,
        prepared: &prepared,
        submission,
        before: before.as_ref(),
        hints,
    };
    if !options.json {
        print(&submitted.describe())?;
        if !session.settings.is_distributed() {
            print(&works_it_off(options))?;
        }
    }
    if !options.wait {
        if options.json {
            print(&json(&submitted.document())?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    wait(options, store, &submitted, began, stop).await
}

/// Follows the job until it stands still, and reports as `run` does.
async fn wait(
    options: &Submit,
    store: &Store,
    submitted: &Submitted<'_>,
    began: Nanos,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let job = submitted.submission.job;
    let spent_before = submitted.before.map_or(Usd(0), |before| before.spent_usd);
    let Some(status) = until_it_stands_still(store, job, stop).await? else {
        tracing::warn!(
            "the waiting ended, the job did not: `scheduler watch {job}` follows it, `scheduler \
             cancel {job}` calls it off"
        );
        return Ok(ExitCode::from(INCOMPLETE));
    };
    let finished = Finished {
        source: &submitted.file.request.source,
        job,
        seen: None,
        stopped: status.reason.as_deref(),
        to_do: submitted.to_do(),
        spent_before,
        began,
    };
    let (report, complete) = finished.report(store).await?;
    if options.json {
        let mut document = submitted.document();
        document["status"] = serde_json::to_value(&status)?;
        print(&json(&document)?)?;
    } else {
        print(&report)?;
    }
    Ok(match complete {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    })
}

fn json(document: &serde_json::Value) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(document)?))
}

/// The command that works the job off on one machine.
fn works_it_off(options: &Submit) -> String {
    let mut command = format!("scheduler run {}", options.file.job);
    for setting in &options.file.set {
        command.push_str(&format!(" --set '{setting}'"));
    }
    format!("`{command}` works it off\n")
}

/// A job that was submitted just now.
struct Submitted<'a> {
    file: &'a JobFile,
    prepared: &'a Prepared,
    submission: Submission,
    /// The job as it was, if it was submitted before.
    before: Option<&'a JobStatus>,
    hints: Option<u64>,
}

impl Submitted<'_> {
    fn plan(&self) -> &Plan {
        &self.prepared.plan
    }

    /// Chunks that were added or were open already.
    fn to_do(&self) -> u64 {
        let chunks = self.plan().to_do().count();
        chunks.try_into().unwrap_or(u64::MAX)
    }

    /// Records and bytes of the chunks that were added; what they cost, and what the archive saves.
    fn added(&self) -> (u64, u64, Usd, Usd) {
        let chunks = &self.plan().chunks;
        let looked_up = || self.plan().looked_up().skip(self.plan().open.len());
        (
            chunks.iter().filter_map(|chunk| chunk.records).sum(),
            chunks.iter().map(|chunk| chunk.billable_bytes).sum(),
            cost_of(looked_up()),
            saved_of(looked_up()),
        )
    }

    fn describe(&self) -> String {
        let Submission {
            job,
            added,
            revived,
        } = self.submission;
        let (records, bytes, cost, saved) = self.added();
        let name = &self.file.request.name;
        let mut text = format!(
            "job {job} ({name}): {} added: {} records, {} bytes, ${cost}{}; {} open before, {} \
             chunks hold the rest already\n",
            counted(added, "chunk"),
            thousands(records),
            thousands(bytes),
            saving(saved),
            self.plan().open.len(),
            self.plan().covered.len(),
        );
        if revived > 0 {
            let dead = counted(revived, "dead chunk");
            text.push_str(&format!("{dead} will be tried again\n"));
        }
        let ended = self.before.and_then(|before| match before.state {
            "paused" => Some("its pause ended"),
            "cancelled" => Some("it was cancelled, and is not any more"),
            _ => None,
        });
        match ended {
            Some(ended) => text.push_str(&format!("{ended}\n")),
            None if self.before.is_some() && added + revived == 0 => {
                text.push_str("it was submitted before, and nothing is missing in the plan\n");
            }
            None => {}
        }
        if let Some(hints) = self.hints.filter(|hints| *hints > 0) {
            let hints = counted(hints, "chunk");
            text.push_str(&format!("workers were told of {hints}\n"));
        }
        text
    }

    fn document(&self) -> serde_json::Value {
        let (records, bytes, cost, saved) = self.added();
        serde_json::json!({
            "job": self.submission.job,
            "name": self.file.request.name,
            "chunks_added": self.submission.added,
            "chunks_revived": self.submission.revived,
            "chunks_open_before": self.plan().open.len(),
            "covered_chunks": self.plan().covered.len(),
            "records": records,
            "bytes": bytes,
            "cost_usd": cost,
            "saved_usd": saved,
            "hints": self.hints,
        })
    }
}
