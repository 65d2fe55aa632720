//! How long a job will take still, by the chunks that were finished of late.

use std::collections::VecDeque;

use crate::store::JobStatus;
use crate::time::Nanos;

/// How far back the rate looks, in seconds.
const WINDOW_SECONDS: f64 = 60.0;
/// Looks that are closer than this, in seconds, count as one: so that few are kept.
const APART_SECONDS: f64 = 1.0;

/// How many chunks were finished when: of the last minute, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Eta {
    seen: VecDeque<(Nanos, u64)>,
}

impl Eta {
    /// Seconds until the last chunk is finished, rounded up, at the rate of the last minute; `None`
    /// when in that time none was, or the job isn't being worked on.
    pub(super) fn seconds(&mut self, job: &JobStatus, now: Nanos) -> Option<u64> {
        let left = job.chunks.pending + job.chunks.running;
        if job.complete || left == 0 || !matches!(job.state, "pending" | "running") {
            self.seen.clear();
            return job.complete.then_some(0);
        }
        self.see(now, job.chunks.done + job.chunks.empty);
        let (first, last) = (self.seen.front()?, self.seen.back()?);
        let finished = u128::from(last.1 - first.1);
        let nanos = u128::try_from(last.0.0 - first.0.0).ok()?;
        if finished == 0 {
            return None;
        }
        let nanos_left = (u128::from(left) * nanos).div_ceil(finished);
        u64::try_from(nanos_left.div_ceil(1_000_000_000)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Keeps times and counts ascending.
    fn see(&mut self, now: Nanos, finished: u64) {
        let back = |&(at, before): &(Nanos, u64)| now < at || finished < before;
        if self.seen.back().is_some_and(back) {
            // The clock was set back, or finished chunks were opened again.
            self.seen.clear();
        }
        let seen = self.seen.len();
        if seen >= 2 && now.seconds_since(self.seen[seen - 2].0) < APART_SECONDS {
            self.seen.pop_back();
        }
        self.seen.push_back((now, finished));
        // The oldest that stays is a whole window old.
        while self.seen.len() > 2 && now.seconds_since(self.seen[1].0) >= WINDOW_SECONDS {
            self.seen.pop_front();
        }
    }
}
