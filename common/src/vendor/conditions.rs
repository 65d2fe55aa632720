//! Conditions of days: how good the vendor says its data of each day is, and since when.

use databento::historical::metadata::{DatasetCondition, DatasetConditionDetail};
use serde::{Deserialize, Serialize};

use super::dates::from_date;
use crate::time::{Day, DayRange};

/// How good the data of a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Nothing is known against it.
    Available,
    /// The vendor has it, with known flaws.
    Degraded,
    /// The vendor doesn't have it yet.
    Pending,
    /// The vendor doesn't have it, and doesn't say that it will.
    Missing,
}

impl Condition {
    /// The name that the vendor and the tables use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Degraded => "degraded",
            Self::Pending => "pending",
            Self::Missing => "missing",
        }
    }

    /// Whether the vendor has nothing of the day, yet or at all.
    #[must_use]
    pub fn is_absent(self) -> bool {
        match self {
            Self::Pending | Self::Missing => true,
            Self::Available | Self::Degraded => false,
        }
    }

    /// The days that are in it, each by itself.
    #[must_use]
    pub fn days(self, conditions: &[DayCondition]) -> Vec<DayRange> {
        let days = conditions.iter().filter(|of| of.condition == self);
        let days = days.filter_map(|of| DayRange::new(of.day, of.day.plus(1)));
        days.collect()
    }

    /// The condition of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        const ALL: [Condition; 4] = [
            Condition::Available,
            Condition::Degraded,
            Condition::Pending,
            Condition::Missing,
        ];
        ALL.into_iter().find(|condition| condition.name() == name)
    }
}

/// A day's condition. Days without a session may have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DayCondition {
    /// The UTC day.
    pub day: Day,
    /// How good its data is.
    pub condition: Condition,
    /// The day on which the vendor last changed its data, where it says so.
    pub last_modified: Option<Day>,
}

impl DayCondition {
    /// A condition as the vendor writes it; `None` for a day that can't be.
    #[must_use]
    pub fn read(detail: &DatasetConditionDetail) -> Option<Self> {
        Some(Self {
            day: from_date(detail.date)?,
            condition: match detail.condition {
                DatasetCondition::Available => Condition::Available,
                DatasetCondition::Degraded => Condition::Degraded,
                DatasetCondition::Pending => Condition::Pending,
                DatasetCondition::Missing => Condition::Missing,
            },
            last_modified: detail.last_modified_date.and_then(from_date),
        })
    }
}
