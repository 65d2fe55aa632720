//! `scheduler cancel`: a job is called off; what was loaded stays.

use std::process::ExitCode;

use common::store::{JobStatus, Moment};

use crate::arguments::{Cancel, Global};
use crate::confirm::agreed;
use crate::exit::print;
use crate::progress::counted;
use crate::session::Session;
use crate::submitted::{find, open, title};

/// Runs the command.
pub async fn run(global: &Global, options: &Cancel) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = open(&session, &options.job).await?;
    let job = find(&store, &options.job).await?;
    let title = title(&job);
    if job.is_finished() {
        print(&format!("{title} is {} already\n", job.state))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !options.yes && !agreed(&question(&job))? {
        print("nothing was changed\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let reason = "an operator called it off";
    let cancelled = store.cancel(job.id, reason, Moment::Now).await?;
    store.close().await;
    let running = match job.chunks.running {
        0 => String::new(),
        running => format!(
            "; {} will be fenced: what their workers still bring is refused",
            counted(running, "running chunk")
        ),
    };
    print(&format!(
        "{title} is cancelled: {} called off{running}. What was loaded stays; submitted again, the \
         job plans what is missing\n",
        counted(cancelled, "chunk")
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What is asked before it is done.
fn question(job: &JobStatus) -> String {
    let left = job.chunks.pending + job.chunks.running + job.chunks.dead;
    format!(
        "call {} off, with {} that are not finished?",
        title(job),
        counted(left, "chunk")
    )
}
