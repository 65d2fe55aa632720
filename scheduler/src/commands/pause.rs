//! `scheduler pause`: nobody begins a chunk of a job any more; what runs may end.

use std::process::ExitCode;

use common::store::JobStatus;

use crate::arguments::{Global, Pause};
use crate::exit::print;
use crate::progress::counted;
use crate::session::Session;
use crate::submitted::{find, open, title};

/// Runs the command.
pub async fn run(global: &Global, options: &Pause) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = open(&session, &options.job).await?;
    let job = find(&store, &options.job).await?;
    let reason = options.reason.as_deref();
    let reason = reason.unwrap_or("an operator paused it");
    let paused = store.pause(Some(job.id), reason).await?;
    store.close().await;
    print(&match paused {
        true => describe(&job),
        false => format!("{}: nothing to pause: {}\n", title(&job), why_not(&job)),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn describe(job: &JobStatus) -> String {
    let waiting = counted(job.chunks.pending, "pending chunk");
    let running = match job.chunks.running {
        0 => String::new(),
        running => format!(", {} may end", counted(running, "running chunk")),
    };
    format!(
        "{} is paused: {waiting} stay where they are{running}; `scheduler resume {}` goes on\n",
        title(job),
        job.id
    )
}

fn why_not(job: &JobStatus) -> String {
    match (job.state, &job.reason) {
        ("paused", Some(reason)) => format!("it is paused already ({reason})"),
        ("paused", None) => "it is paused already".to_owned(),
        ("cancelled", _) => "it was cancelled".to_owned(),
        ("done", _) => "it is done".to_owned(),
        _ => "no chunk of it is pending or running".to_owned(),
    }
}
