//! `scheduler retry`: a job's dead chunks are tried again.

use std::process::ExitCode;

use common::store::Moment;

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
    let retried = store.retry(job.id, Moment::Now).await?;
    if retried > 0 {
        tell_workers(&session.settings, &store, job.id).await?;
    }
    store.close().await;
    let title = title(&job);
    print(&match (retried, job.state) {
        (0, "cancelled") => {
            format!("{title} was cancelled: submit it again for what is missing\n")
        }
        (0, _) => format!("{title} has no dead chunk, and none that waits for a retry\n"),
        (retried, "paused") => format!(
            "{title}: {} will be tried again once `scheduler resume {}` ends its pause\n",
            counted(retried, "chunk"),
            job.id
        ),
        (retried, _) => format!(
            "{title}: {} will be tried again; {}\n",
            counted(retried, "chunk"),
            who_works(&session)
        ),
    })?;
    Ok(ExitCode::SUCCESS)
}
