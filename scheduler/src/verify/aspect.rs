//! The aspects of a verification: their weights and targets, and what the scores of some come to.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is looked at.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Every day of every symbol and schema that was asked for is held, or a known gap
    DataAvailability,
    /// Standard queries, run by this program, end within 5 seconds
    QueryPerformance,
    /// Few records fail validation, and the SQL checks of `checks/` find nothing
    DataIntegrity,
    /// Chunks end well
    OperationalStability,
}

impl Aspect {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 4] = [
        Self::DataAvailability,
        Self::QueryPerformance,
        Self::DataIntegrity,
        Self::OperationalStability,
    ];

    /// Its name, as it is typed and told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DataAvailability => "data-availability",
            Self::QueryPerformance => "query-performance",
            Self::DataIntegrity => "data-integrity",
            Self::OperationalStability => "operational-stability",
        }
    }

    /// Its share of the score where all are checked.
    #[must_use]
    pub fn weight(self) -> f64 {
        match self {
            Self::DataAvailability => 0.35,
            Self::QueryPerformance => 0.30,
            Self::DataIntegrity => 0.25,
            Self::OperationalStability => 0.10,
        }
    }

    /// What is to be reached, in words.
    #[must_use]
    pub fn target(self) -> &'static str {
        match self {
            Self::DataAvailability => "all that was asked for",
            Self::QueryPerformance => "80 % of queries under 5 s",
            Self::DataIntegrity => "below 1 % quarantined, no error",
            Self::OperationalStability => "95 % of chunks end well",
        }
    }
}

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// Nobody could tell.
    NotChecked,
}

impl Verdict {
    /// Its sign.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Met => '✓',
            Self::Missed => '✗',
            Self::NotChecked => '–',
        }
    }
}

/// What came of an aspect.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether its target is met.
    pub verdict: Verdict,
    /// 0 to 100; none where it was not checked.
    pub score: Option<f64>,
    /// The figure that was reached, or why nothing could be told, in words.
    pub figure: String,
}

impl Outcome {
    /// An aspect that was checked.
    #[must_use]
    pub fn checked(met: bool, score: f64, figure: String) -> Self {
        Self {
            verdict: if met { Verdict::Met } else { Verdict::Missed },
            score: Some(score),
            figure,
        }
    }

    /// An aspect of which nothing can be told, and why.
    #[must_use]
    pub fn not_checked(why: &str) -> Self {
        Self {
            verdict: Verdict::NotChecked,
            score: None,
            figure: why.to_owned(),
        }
    }
}

/// How much of a whole a part is, in percent, rounded down to a tenth: what isn't all of it never looks
/// like it. All of nothing is 100.
#[must_use]
pub fn percent(part: u64, whole: u64) -> f64 {
    let tenths = match whole {
        0 => 1_000,
        whole => u128::from(part) * 1_000 / u128::from(whole),
    };
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// Each aspect's share of the score: its weight, by the weights of all that have a score.
#[must_use]
pub fn shares(scores: &[(Aspect, Option<f64>)]) -> Vec<Option<f64>> {
    let checked = scores.iter().filter(|(_, score)| score.is_some());
    let all: f64 = checked.map(|(aspect, _)| aspect.weight()).sum();
    let share = |(aspect, score): &(Aspect, Option<f64>)| score.map(|_| aspect.weight() / all);
    scores.iter().map(share).collect()
}

/// The mean of the scores by weight, rounded down to a tenth; none where nothing was checked.
#[must_use]
pub fn total(scores: &[(Aspect, Option<f64>)]) -> Option<f64> {
    let shares = shares(scores);
    let parts = scores.iter().zip(shares);
    let parts: Vec<f64> = parts
        .filter_map(|((_, score), share)| Some((*score)? * share?))
        .collect();
    // What float arithmetic loses of a whole tenth is given back.
    let sum: f64 = parts.iter().sum();
    (!parts.is_empty()).then(|| (sum * 10.0 + 1e-6).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_that_are_typed_and_written() {
        for aspect in Aspect::ALL {
            let typed = aspect.to_possible_value().unwrap();
            assert_eq!(typed.get_name(), aspect.name());
            assert_eq!(serde_json::json!(aspect), aspect.name());
        }
        let weights: f64 = Aspect::ALL.into_iter().map(Aspect::weight).sum();
        assert!((weights - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_all_of_it_never_looks_like_it() {
        assert_eq!(percent(999_999, 1_000_000), 99.9);
        assert_eq!(percent(2, 3), 66.6);
        assert_eq!(percent(0, 0), 100.0);
        assert_eq!(percent(0, 7), 0.0);
        assert_eq!(percent(u64::MAX, u64::MAX), 100.0);
    }

    #[test]
    fn weights_are_shared_out_over_what_was_checked() {
        use Aspect::{DataAvailability, OperationalStability, QueryPerformance};
        let scores = [
            (DataAvailability, Some(100.0)),
            (QueryPerformance, None),
            (OperationalStability, Some(10.0)),
        ];
        let shared = shares(&scores);
        assert_eq!(shared[1], None);
        assert!((shared[0].unwrap() - 0.35 / 0.45).abs() < 1e-12);
        assert_eq!(total(&scores), Some(80.0));
        assert_eq!(total(&[(QueryPerformance, None)]), None);
        assert_eq!(total(&[(OperationalStability, Some(95.5))]), Some(95.5));
    }

    proptest! {
        #[test]
        fn the_score_lies_between_the_least_and_the_greatest(
            found in prop::collection::vec(prop::option::of(0_u32..=1_000), 4),
        ) {
            let score = |tenths: u32| f64::from(tenths) / 10.0;
            let scores: Vec<_> = Aspect::ALL.into_iter().zip(found)
                .map(|(aspect, found)| (aspect, found.map(score))).collect();
            let known: Vec<f64> = scores.iter().filter_map(|(_, score)| *score).collect();
            let sum: f64 = shares(&scores).into_iter().flatten().sum();
            match total(&scores) {
                None => prop_assert!(known.is_empty()),
                Some(total) => {
                    let least = known.iter().copied().fold(f64::MAX, f64::min);
                    let greatest = known.iter().copied().fold(f64::MIN, f64::max);
                    prop_assert!((sum - 1.0).abs() < 1e-9);
                    prop_assert!(total >= least - 1e-9 && total <= greatest + 1e-9);
                }
            }
        }
    }
}
