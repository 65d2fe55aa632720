//! How long a job will take still, by the chunks that were finished of late.

use super::pace::Pace;
use crate::store::JobStatus;
use crate::time::Nanos;

/// How many chunks of a job were finished when.
#[derive(Clone, Debug, Default)]
pub struct Eta {
    finished: Pace,
}

impl Eta {
    /// Seconds until the last chunk that is not given up is finished, rounded up, at the pace of late;
    /// `None` when none was finished lately, or the job isn't being worked on. To be called again and
    /// again.
    pub fn seconds(&mut self, job: &JobStatus, now: Nanos) -> Option<u64> {
        let left = job.chunks.pending + job.chunks.running;
        if job.complete || left == 0 || !job.is_open() {
            self.finished.forget();
            return job.complete.then_some(0);
        }
        self.finished.note(now, job.chunks.done + job.chunks.empty);
        self.finished.seconds_for(left)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.finished.is_empty()
    }
}
