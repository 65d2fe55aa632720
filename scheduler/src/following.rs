//! Follows a job that others work on, in the database, until it stands still: bars on a terminal,
//! lines where stderr is piped.

use std::time::Duration;

use common::chunk::JobId;
use common::store::{ChunkCounts, JobStatus, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::progress::{Bars, thousands};
use crate::submitted::title;

/// Between two looks into the database.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two lines in a log, at least.
const LINES_APART: Duration = Duration::from_secs(3);

/// Waits until a job is done, incomplete, paused or cancelled; `None` when the waiting was stopped.
pub async fn until_it_stands_still(
    store: &Store,
    job: JobId,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JobStatus>> {
    let mut view = View::new(store, job).await?;
    let ended = loop {
        let Some(status) = store.job(job).await? else {
            anyhow::bail!("the job disappeared from the database");
        };
        view.show(store, &status).await?;
        if stands_still(&status) {
            break Some(status);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => break None,
        }
    };
    view.bars.end();
    Ok(ended)
}

/// Whether nobody will work on a job until somebody decides about it.
#[must_use]
pub fn stands_still(job: &JobStatus) -> bool {
    matches!(job.state, "done" | "incomplete" | "paused" | "cancelled")
}

/// How far a job is, in a line.
#[must_use]
pub fn standing(job: &JobStatus) -> String {
    let chunks = job.chunks;
    let mut line = format!(
        "{}: {}, {} of {} chunks ({} %), {} rows",
        title(job),
        job.state,
        thousands(chunks.done + chunks.empty),
        thousands(wanted(job)),
        percent(job),
        thousands(job.records.loaded),
    );
    for (count, what) in [(chunks.running, "running"), (chunks.dead, "dead")] {
        if count > 0 {
            line.push_str(&format!(", {} {what}", thousands(count)));
        }
    }
    line
}

/// The share of chunks that are done or empty, rounded down: 100 means all.
#[must_use]
pub fn percent(job: &JobStatus) -> u64 {
    let settled = job.chunks.done + job.chunks.empty;
    (settled * 100).checked_div(wanted(job)).unwrap_or(100)
}

/// A job's chunks, without those that it called off before it was submitted again.
#[must_use]
pub fn wanted(job: &JobStatus) -> u64 {
    match job.state {
        "cancelled" => job.chunks.total,
        _ => job.chunks.total - job.chunks.cancelled,
    }
}

struct View {
    bars: Bars,
    shown: Option<ChunkCounts>,
    said: Option<(String, Instant)>,
}

impl View {
    async fn new(store: &Store, job: JobId) -> anyhow::Result<Self> {
        Ok(Self {
            bars: Bars::new(&store.schemas(job).await?),
            shown: None,
            said: None,
        })
    }

    async fn show(&mut self, store: &Store, status: &JobStatus) -> anyhow::Result<()> {
        if self.bars.are_seen() {
            if self.shown != Some(status.chunks) {
                self.bars.show(&store.schemas(status.id).await?);
                self.shown = Some(status.chunks);
            }
            return Ok(());
        }
        let line = standing(status);
        let is_news = match &self.said {
            Some((said, when)) => {
                *said != line && (when.elapsed() >= LINES_APART || stands_still(status))
            }
            None => true,
        };
        if is_news {
            self.bars.say(&line);
            self.said = Some((line, Instant::now()));
        }
        Ok(())
    }
}
