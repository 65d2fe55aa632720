//! Totals of all jobs, also of those that are not shown, and which of them need somebody.

use common::store::JobStatus;

use super::JobProgress;
use crate::following::wanted;

/// Jobs that are told to need somebody: of more, how many there are.
const TROUBLED_MAX: usize = 20;

/// What all jobs come to.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// How many jobs there are.
    pub jobs: usize,
    /// How many of them are neither done nor cancelled.
    pub unfinished: usize,
    /// How many of them may have chunks begun.
    pub open: usize,
    /// Chunks that were not called off.
    pub wanted: u64,
    /// Chunks that are done or empty.
    pub settled: u64,
    /// Chunks that run.
    pub running: u64,
    /// Chunks that were given up.
    pub dead: u64,
    /// Rows that were loaded.
    pub rows: u64,
    /// Records that are received in a second.
    pub records_per_second: u64,
    /// Jobs that need somebody, the last submitted first, a few of many: they are paused, or chunks of
    /// theirs were given up.
    pub troubled: Vec<JobStatus>,
    /// How many such jobs there are.
    pub troubled_in_all: usize,
}

impl Totals {
    /// Of all jobs, which are told as the oldest first.
    #[must_use]
    pub fn of(jobs: &[JobProgress]) -> Self {
        let mut totals = Self {
            jobs: jobs.len(),
            ..Self::default()
        };
        for job in jobs.iter().rev() {
            let (status, chunks) = (&job.status, &job.status.chunks);
            totals.unfinished += usize::from(!status.is_finished());
            totals.open += usize::from(status.is_open());
            totals.wanted += wanted(status);
            totals.settled += chunks.done + chunks.empty;
            totals.running += chunks.running;
            totals.dead += chunks.dead;
            totals.rows += status.records.loaded;
            totals.records_per_second += job.records_per_second.unwrap_or(0);
            if is_troubled(status) {
                totals.troubled_in_all += 1;
                if totals.troubled.len() < TROUBLED_MAX {
                    totals.troubled.push(status.clone());
                }
            }
        }
        totals
    }
}

fn is_troubled(job: &JobStatus) -> bool {
    job.state == "paused" || (job.chunks.dead > 0 && job.state != "cancelled")
}
