//! `scheduler resume`: a job's pause ends.

use std::process::ExitCode;

use crate::arguments::{Global, Submitted};
use crate::exit::print;
use crate::hints::tell_workers;
use crate::progress::counted;
use crate::session::Session;
use crate::submitted::{find, open, title, who_works};

/// Runs the command.
pub async fn run(global: &Global, options: &Submitted) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = open(&session, &options.job).await?;
    let job = find(&store, &options.job).await?;
    let resumed = store.resume(job.id).await?;
    if resumed {
        tell_workers(&session.settings, &store, job.id).await?;
    }
    store.close().await;
    let title = title(&job);
    print(&match (resumed, job.state) {
        (true, _) => format!(
            "{title} goes on: {} to work on; {}\n",
            counted(job.chunks.pending, "pending chunk"),
            who_works(&session)
        ),
        (false, "cancelled") => {
            format!("{title} was cancelled, not paused: submit it again for what is missing\n")
        }
        (false, state) => format!("{title} is not paused: it is {state}\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}
