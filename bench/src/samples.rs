//! Samples: what was measured several times, and its median.

use std::time::Duration;

/// What was measured, in the order of the rounds; never empty.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// What was measured.
    ///
    /// # Panics
    /// When there is nothing.
    pub fn new(values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "something was measured");
        Self(values)
    }

    /// All, in the order of the rounds.
    pub fn all(&self) -> &[f64] {
        &self.0
    }

    /// The median; of an even number the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// The least and the most.
    pub fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted[0], sorted[sorted.len() - 1])
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Whose turn it is of two sides, in so many rounds: who is first changes, so that neither always meets
/// the other's leftovers.
pub fn in_turns(rounds: usize) -> impl Iterator<Item = bool> {
    (0..rounds).flat_map(|round| [round % 2 == 0, round % 2 == 1])
}

/// So many things in so much time, a second.
pub fn per_second(count: u64, took: Duration) -> f64 {
    number(count) / took.as_secs_f64()
}

/// A count as a number that is divided.
pub fn number(count: u64) -> f64 {
    // Counts of a benchmark are far below 2^53.
    u32::try_from(count).map_or_else(
        |_| f64::from(u32::try_from(count >> 16).unwrap_or(u32::MAX)) * 65_536.0,
        f64::from,
    )
}
