//! The arithmetic of the pace: a bucket of slots that fills evenly, and holds a few at most.
//!
//! A slot is reserved at once, and may lie in the future. When it is due it is asked for again: since
//! then there may have been a hold. `fleet/admit.lua` and `fleet/hold.lua` do the same in Redis.

use std::time::Duration;

/// A slot that was not taken this long after it was due is lost, and the bucket holds no more slots
/// than fill it in this time (but one at least). Each can bring a twentieth above the limit.
pub const GRACE: Duration = Duration::from_millis(50);

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two slots: whole microseconds.
    pub interval: Duration,
    /// Slots that a full bucket holds.
    pub capacity: u32,
}

impl Pace {
    /// At most so many a second, from 0.001 on; above a million it is a million.
    #[must_use]
    pub fn per_second(rate: f64) -> Self {
        let nanos = Duration::from_secs_f64(1.0 / rate).as_nanos();
        let micros = u64::try_from(nanos.div_ceil(1000)).unwrap_or(u64::MAX);
        let interval = Duration::from_micros(micros.max(1));
        let capacity = GRACE.as_nanos() / interval.as_nanos();
        Self {
            interval,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX).max(1),
        }
    }

    /// From empty to full.
    #[must_use]
    pub fn fill(self) -> Duration {
        self.interval.saturating_mul(self.capacity)
    }
}

/// The slots of one class. Times are since the start of the limiter's clock.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// When it will be full, if nobody takes anything.
    full_at: Duration,
    held_until: Duration,
}

/// What a bucket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The request may go out.
    Now,
    /// Ask again at that time, with this slot.
    At(Duration),
}

impl Bucket {
    /// One without any slots.
    #[must_use]
    pub fn empty(now: Duration, pace: Pace) -> Self {
        Self {
            full_at: now + pace.fill(),
            held_until: Duration::ZERO,
        }
    }

    /// Takes the slot that was reserved before, if it still counts, or else reserves the next.
    pub fn take(&mut self, now: Duration, reserved: Option<Duration>, pace: Pace) -> Slot {
        let counts = |due: &Duration| *due >= self.held_until && now <= *due + GRACE;
        let due = match reserved.filter(counts) {
            Some(due) => due,
            None => self.reserve(now, pace),
        };
        if due <= now { Slot::Now } else { Slot::At(due) }
    }

    /// Gives no slot for this long. It is empty afterwards: those who waited come one by one.
    pub fn hold(&mut self, now: Duration, wait: Duration, pace: Pace) {
        self.held_until = self.held_until.max(now.saturating_add(wait));
        self.full_at = self
            .full_at
            .max(self.held_until.saturating_add(pace.fill()));
    }

    fn reserve(&mut self, now: Duration, pace: Pace) -> Duration {
        let one_there = self
            .full_at
            .saturating_sub(pace.fill().saturating_sub(pace.interval));
        let due = now.max(one_there);
        self.full_at = self.full_at.max(due).saturating_add(pace.interval);
        due
    }
}
