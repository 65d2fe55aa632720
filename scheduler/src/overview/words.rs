//! Words that the page and the terminal share.

use common::chunk::ChunkState;
use common::store::Failure;

/// A time in seconds, for people: 45 s, 12 min, 3 h 20 min.
pub fn in_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// What to type about a chunk that failed: another try where it was given up. One that is tried again by
/// itself is left to that, for `retry` would forget the failures of all its job's chunks that wait. A
/// number is never ambiguous, and is no text of others'.
#[must_use]
pub fn command_after(failure: &Failure) -> String {
    let job = failure.part.job;
    match failure.state {
        ChunkState::Dead => format!("scheduler retry {job}"),
        _ => format!("scheduler status {job}"),
    }
}
