//! `scheduler watch`: one job or all unfinished ones, live, until Ctrl-C or until the job is finished.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use common::chunk::JobId;
use common::configuration::document::Refusal;
use common::store::{Access, JobStatus, Store};
use tokio_util::sync::CancellationToken;
use worker::process::stop_quietly;

use crate::arguments::{Global, Watch};
use crate::exit::{INCOMPLETE, print_to_reader};
use crate::following::{percent, standing, wanted};
use crate::overview::pace::{Pace, in_words};
use crate::progress::thousands;
use crate::report::{aligned, plain_table};
use crate::session::Session;
use crate::submitted::find;

/// Between two looks into the database.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Jobs that a terminal has room for.
const JOBS_SHOWN: usize = 20;
/// Characters of a name that are shown.
const NAME_SHOWN: usize = 30;

/// Runs the command.
pub async fn run(global: &Global, options: &Watch) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
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
    let ended = follow(&store, job, &stop).await;
    store.close().await;
    ended
}

async fn follow(
    store: &Store,
    job: Option<JobId>,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let mut screen = Screen::default();
    loop {
        let jobs = match job {
            Some(job) => store.job(job).await?.into_iter().collect(),
            None => unfinished(store.jobs(None).await?),
        };
        let read = screen.show(&jobs)?;
        if let (Some(_), Some(status)) = (job, jobs.first())
            && let "done" | "incomplete" | "cancelled" = status.state
        {
            return Ok(match status.complete {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(INCOMPLETE),
            });
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

fn unfinished(mut jobs: Vec<JobStatus>) -> Vec<JobStatus> {
    jobs.retain(|job| matches!(job.state, "pending" | "running" | "paused"));
    jobs
}

/// What a person sees.
#[derive(Default)]
struct Screen {
    paces: HashMap<JobId, Pace>,
    /// Lines of the table that stands there.
    height: usize,
    /// What was said of each job last.
    said: HashMap<JobId, String>,
    said_nothing_left: bool,
}

impl Screen {
    /// Shows the jobs; whether anybody reads it.
    fn show(&mut self, jobs: &[JobStatus]) -> anyhow::Result<bool> {
        match std::io::stdout().is_terminal() {
            true => self.draw(jobs),
            false => self.say(jobs),
        }
    }

    /// Draws the table over the one before.
    fn draw(&mut self, jobs: &[JobStatus]) -> anyhow::Result<bool> {
        let text = self.table(jobs);
        let over = match self.height {
            0 => String::new(),
            height => format!("\x1b[{height}A\x1b[J"),
        };
        self.height = text.lines().count();
        print_to_reader(&format!("{over}{text}"))
    }

    fn table(&mut self, jobs: &[JobStatus]) -> String {
        if jobs.is_empty() {
            return format!("{NOTHING_LEFT}\n");
        }
        let mut table =
            plain_table(&["job", "state", "chunks", "%", "rows/s", "dead", "time left"]);
        for job in jobs {
            let pace = self.paces.entry(job.id).or_default();
            pace.note(job.records.fetched);
            let left = job.records.expected.saturating_sub(job.records.fetched);
            let chunks = job.chunks;
            let name: String = job.name.chars().take(NAME_SHOWN).collect();
            let row = vec![
                format!("{name} ({})", job.id),
                job.state.to_owned(),
                format!(
                    "{}/{}",
                    thousands(chunks.done + chunks.empty),
                    thousands(wanted(job))
                ),
                percent(job).to_string(),
                pace.per_second().map_or("–".to_owned(), thousands),
                thousands(chunks.dead),
                pace.seconds_for(left).map_or("–".to_owned(), in_words),
            ];
            if table.row_count() < JOBS_SHOWN {
                table.add_row(aligned(2, row));
            }
        }
        match jobs.len().checked_sub(JOBS_SHOWN) {
            Some(more @ 1..) => format!("{table}\nand {more} jobs more\n"),
            _ => format!("{table}\n"),
        }
    }

    /// A line for each job that changed.
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
