//! How fast a number grows: over the last minute, or where it grows in steps that are further apart, over
//! the last steps.

use std::collections::VecDeque;

use crate::time::Nanos;

/// How far back the pace looks, in seconds.
const WINDOW_SECONDS: f64 = 60.0;
/// How far back it looks where the number did not grow within the window: chunks may take minutes, and
/// what they bring is counted when they end.
const LONGEST_SECONDS: f64 = 900.0;
/// Looks that are closer than this, in seconds, count as one: so that few are kept.
const APART_SECONDS: f64 = 1.0;
const SECOND: u128 = 1_000_000_000;

/// What a number was at each look, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    seen: VecDeque<(Nanos, u64)>,
}

impl Pace {
    /// Notes what the number is now. Times and numbers are kept ascending.
    pub fn note(&mut self, now: Nanos, number: u64) {
        let back = |&(at, before): &(Nanos, u64)| now < at || number < before;
        if self.seen.back().is_some_and(back) {
            // The clock was set back, or what was counted was taken back.
            self.seen.clear();
        }
        let seen = self.seen.len();
        if seen >= 2 {
            let (before, last) = (self.seen[seen - 2], self.seen[seen - 1]);
            let stands = before.1 == number && last.1 == number;
            if stands || now.seconds_since(before.0) < APART_SECONDS {
                self.seen.pop_back();
            }
        }
        self.seen.push_back((now, number));
        while self.is_first_spare(now, number) {
            self.seen.pop_front();
        }
    }

    /// The oldest that stays is a whole window old; and where the number has not grown since the next
    /// one, it stays longer.
    fn is_first_spare(&self, now: Nanos, number: u64) -> bool {
        let Some((at, before)) = self.seen.get(1).filter(|_| self.seen.len() > 2) else {
            return false;
        };
        let age = now.seconds_since(*at);
        age >= LONGEST_SECONDS || (age >= WINDOW_SECONDS && *before < number)
    }

    /// How much it grows in a second, rounded down; `None` while it doesn't.
    #[must_use]
    pub fn per_second(&self) -> Option<u64> {
        let (grown, nanos) = self.grown()?;
        let pace = (grown * SECOND).checked_div(nanos)?;
        u64::try_from(pace).ok().filter(|pace| *pace > 0)
    }

    /// The seconds until it has grown by so much, rounded up; `None` while it doesn't grow.
    #[must_use]
    pub fn seconds_for(&self, more: u64) -> Option<u64> {
        let (grown, nanos) = self.grown()?;
        let nanos_left = (u128::from(more) * nanos).div_ceil(grown);
        u64::try_from(nanos_left.div_ceil(SECOND)).ok()
    }

    /// By how much it grew in how many nanoseconds.
    fn grown(&self) -> Option<(u128, u128)> {
        let (first, last) = (self.seen.front()?, self.seen.back()?);
        let grown = u128::from(last.1 - first.1);
        let nanos = u128::try_from(last.0.0 - first.0.0).ok()?;
        (grown > 0).then_some((grown, nanos))
    }

    /// Forgets what was seen.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}
