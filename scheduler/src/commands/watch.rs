//! `scheduler watch`: one job or all of them, live, until the reader leaves or the job is finished: a
//! dashboard on a terminal, lines where stdout is piped.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use common::chunk::JobId;
use common::configuration::document::Refusal;
use common::store::{Access, JobStatus, Store};
use tokio_util::sync::CancellationToken;
use worker::process::{start_logging, stop_quietly};

use crate::arguments::{Global, Watch};
use crate::dashboard::{self, Watched, has_ended};
use crate::exit::{INCOMPLETE, print, print_to_reader};
use crate::following::standing;
use crate::session::Session;
use crate::submitted::find;

/// Between two looks into the database.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the database may take to let go: it may be away.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// Runs the command.
pub async fn run(global: &Global, options: &Watch) -> anyhow::Result<ExitCode> {
    let session = Session::read(global)?;
    let has_dashboard = dashboard::is_there();
    // A line of the log would lie across the dashboard, which tells itself what is wrong.
    if !has_dashboard || !std::io::stderr().is_terminal() {
        start_logging(session.settings.log_format);
    }
    let stop = stop_quietly()?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let Some(store) = store else {
        let wanted = options.job.as_deref().unwrap_or("watch");
        let help = "`scheduler submit` or `scheduler run` submits a job";
        return Err(Refusal::of(wanted, "there is no database yet", help).into());
    };
    let job = match &options.job {
        Some(wanted) => Some(find(&store, wanted).await?.id),
        None => None,
    };
    let ended = match has_dashboard {
        true => show(&session, &store, job, &stop).await,
        false => follow(&store, job, &stop).await,
    };
    let _took_too_long = tokio::time::timeout(CLOSE_MAX, store.close()).await;
    ended
}

/// A dashboard; what stays on the screen is how the jobs stood at the end.
async fn show(
    session: &Session,
    store: &Store,
    job: Option<JobId>,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let watched = dashboard::watch(&session.settings, store, job, stop).await?;
    let Watched { jobs, is_over } = watched;
    let told = jobs.iter().filter(|job| is_over || !has_ended(job));
    let text: String = told.map(|job| format!("{}\n", standing(job))).collect();
    match (text.is_empty(), jobs.is_empty()) {
        (true, false) => print("every job is finished\n")?,
        _ => print(&text)?,
    }
    match jobs.first() {
        Some(job) if is_over => Ok(ended(job)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn follow(
    store: &Store,
    job: Option<JobId>,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let mut lines = Lines::default();
    loop {
        let jobs = match job {
            Some(job) => store.job(job).await?.into_iter().collect(),
            None => unfinished(store.jobs(None).await?),
        };
        let read = lines.say(&jobs)?;
        if let (Some(_), Some(status)) = (job, jobs.first())
            && has_ended(status)
        {
            return Ok(ended(status));
        }
        if !read {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// How the command ends with its job.
fn ended(job: &JobStatus) -> ExitCode {
    match job.complete {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    }
}

fn unfinished(mut jobs: Vec<JobStatus>) -> Vec<JobStatus> {
    jobs.retain(|job| matches!(job.state, "pending" | "running" | "paused"));
    jobs
}

/// What was told, in lines.
#[derive(Default)]
struct Lines {
    /// What was said of each job last.
    said: HashMap<JobId, String>,
    said_nothing_left: bool,
}

impl Lines {
    /// A line for each job that changed; whether anybody reads it.
    fn say(&mut self, jobs: &[JobStatus]) -> anyhow::Result<bool> {
        let mut text = String::new();
        for job in jobs {
            let line = standing(job);
            if self.said.get(&job.id) != Some(&line) {
                text.push_str(&format!("{line}\n"));
                self.said.insert(job.id, line);
            }
        }
        if jobs.is_empty() && !self.said_nothing_left {
            text.push_str(&format!("{NOTHING_LEFT}\n"));
        }
        self.said_nothing_left = jobs.is_empty();
        match text.is_empty() {
            true => Ok(true),
            false => print_to_reader(&text),
        }
    }
}

const NOTHING_LEFT: &str = "every job is finished; new ones appear here";
