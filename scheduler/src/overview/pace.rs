//! How fast a number grows, over the last minute, and how long the rest takes at that pace.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What is further back no longer counts.
const LOOK_BACK: Duration = Duration::from_secs(60);

/// What a number was at each look.
#[derive(Debug, Default)]
pub struct Pace {
    looks: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// Notes what the number is now.
    pub fn note(&mut self, number: u64) {
        let now = Instant::now();
        self.looks.push_back((now, number));
        while let Some((when, _)) = self.looks.front()
            && now.duration_since(*when) > LOOK_BACK
        {
            self.looks.pop_front();
        }
    }

    /// How much it grows in a second; `None` as long as it doesn't.
    pub fn per_second(&self) -> Option<u64> {
        let ((began, first), (ended, last)) = (self.looks.front()?, self.looks.back()?);
        let milliseconds = ended.duration_since(*began).as_millis();
        let grown = u128::from(last.checked_sub(*first)?) * 1_000;
        let pace = grown.checked_div(milliseconds)?;
        u64::try_from(pace).ok().filter(|pace| *pace > 0)
    }

    /// The seconds until it has grown by so much.
    pub fn seconds_for(&self, more: u64) -> Option<u64> {
        more.checked_div(self.per_second()?)
    }
}

/// A time in seconds, for people: 45 s, 12 min, 3 h 20 min.
pub fn in_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
