//! `scheduler watch`: one job or all of them, live, until the reader leaves or the job is finished: a
//! dashboard on a terminal, lines where stdout is piped.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use common::chunk::{ChunkId, ChunkState, JobId};
use common::configuration::document::Refusal;
use common::store::{Access, Failure, JobStatus, Store};
use common::time::Nanos;
use tokio_util::sync::CancellationToken;
use worker::process::{start_logging, stop_quietly};

use crate::arguments::{Global, Watch};
use crate::dashboard::{self, Watched, has_ended, look_once, printable};
use crate::exit::{INCOMPLETE, print, print_to_reader};
use crate::following::standing;
use crate::overview::words::{command_after, in_words};
use crate::overview::{JobProgress, Observer, Overview};
use crate::progress::thousands;
use crate::session::Session;
use crate::submitted::find;

/// Between two looks into the database.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Characters of an error, and of a chunk's symbols, in a line.
const ERROR_MAX: usize = 400;
const SYMBOLS_MAX: usize = 40;
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

/// Lines, until the one job is over, somebody stops it, or nobody reads on.
async fn follow(
    store: &Store,
    job: Option<JobId>,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let mut observer = Observer::new(job, None, None);
    let mut lines = Lines::default();
    // What is wrong from the start is told as by any other command.
    let mut brought: Result<Overview, String> = Ok(observer.look(store).await?);
    loop {
        let watched = brought.as_ref().ok().filter(|_| job.is_some());
        let watched = watched.and_then(|overview| overview.jobs.first());
        let over = watched.map(|job| &job.status).filter(|job| has_ended(job));
        let over = over.map(ended);
        let is_read = match &brought {
            Ok(overview) => lines.say(overview, job.is_some())?,
            Err(reason) => lines.say_trouble(reason)?,
        };
        match over {
            Some(code) => return Ok(code),
            None if !is_read => return Ok(ExitCode::SUCCESS),
            None => {}
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        }
        brought = tokio::select! {
            brought = look_once(store, &mut observer) => brought,
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        };
    }
}

/// How the command ends with its job.
fn ended(job: &JobStatus) -> ExitCode {
    match job.complete {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    }
}

/// What was told, in lines.
#[derive(Default)]
struct Lines {
    /// What was said of each job last.
    said: HashMap<JobId, String>,
    /// The failures at the last look; `None` before the first: what failed earlier is no news.
    failed: Option<HashMap<ChunkId, Nanos>>,
    said_nothing_left: bool,
    is_in_trouble: bool,
}

impl Lines {
    /// A line for each job that changed and for each new failure; whether anybody reads it.
    fn say(&mut self, overview: &Overview, is_one: bool) -> anyhow::Result<bool> {
        if std::mem::take(&mut self.is_in_trouble) {
            // That it is back is told by how everything stands.
            self.said.clear();
        }
        let mut text = self.new_failures(&overview.failures);
        let is_told = |job: &&JobProgress| {
            is_one || matches!(job.status.state, "pending" | "running" | "paused")
        };
        let mut count = 0;
        // The first submitted first.
        for job in overview.jobs.iter().rev().filter(is_told) {
            count += 1;
            let line = standing(&job.status);
            // How fast it goes always changes: that alone is no news.
            if self.said.get(&job.status.id) != Some(&line) {
                text.push_str(&format!("{line}{}\n", speed(job)));
                self.said.insert(job.status.id, line);
            }
        }
        if count == 0 && !self.said_nothing_left {
            text.push_str(&format!("{NOTHING_LEFT}\n"));
        }
        self.said_nothing_left = count == 0;
        print_some(&text)
    }

    /// Says once that there is no answer; whether anybody reads it.
    fn say_trouble(&mut self, reason: &str) -> anyhow::Result<bool> {
        match std::mem::replace(&mut self.is_in_trouble, true) {
            true => Ok(true),
            false => print_some(&format!(
                "no answer, and asked again each second: {}\n",
                printable(reason)
            )),
        }
    }

    fn new_failures(&mut self, failures: &[Failure]) -> String {
        let seen = failures.iter().map(|of| (of.part.chunk, of.at)).collect();
        let before = self.failed.replace(seen);
        let is_new = |of: &&Failure| {
            let known = before.as_ref().map(|known| known.get(&of.part.chunk));
            known.is_some_and(|at| at != Some(&of.at))
        };
        // The first that failed first.
        let new = failures.iter().rev().filter(is_new);
        new.map(|of| format!("{}\n", failed(of))).collect()
    }
}

fn print_some(text: &str) -> anyhow::Result<bool> {
    match text.is_empty() {
        true => Ok(true),
        false => print_to_reader(text),
    }
}

/// A chunk that failed, why, and what to type.
fn failed(failure: &Failure) -> String {
    let part = &failure.part;
    let fate = match failure.state {
        ChunkState::Dead => "given up",
        _ => "failed, tried again",
    };
    let mut error: String = failure.error.chars().take(ERROR_MAX).collect();
    if error.len() < failure.error.len() {
        error.push('…');
    }
    let command = command_after(failure);
    printable(&format!(
        "{} ({}): chunk {} ({} {} {}) {fate}: {error}; {command}",
        part.job_name,
        part.job,
        part.chunk,
        part.schema,
        part.days,
        part.symbols_within(SYMBOLS_MAX),
    ))
}

/// How fast a job goes and how long it takes still, where that is known.
fn speed(job: &JobProgress) -> String {
    let pace = job.records_per_second;
    let pace = pace.map(|pace| format!(", {} records a second", thousands(pace)));
    let left = job.seconds_left;
    let left = left.map(|left| format!(", {} left", in_words(left)));
    [pace, left].into_iter().flatten().collect()
}

const NOTHING_LEFT: &str = "every job is finished; new ones appear here";
