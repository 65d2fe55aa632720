//! How good the data of each day is. A fetch notes conditions of before its stream, so that a day that is
//! rewritten meanwhile counts as rewritten since.

use super::super::client::Vendor;
use super::super::conditions::DayCondition;
use super::super::error::VendorError;
use super::{Recent, month_of};
use crate::time::{Day, DayRange, Nanos};

/// Months of datasets that are remembered at most.
const MONTHS_MAX: usize = 256;

/// Conditions by dataset and month.
#[derive(Clone, Debug)]
pub(in super::super) struct RecentConditions(Recent<(String, Day), Vec<DayCondition>>);

impl Default for RecentConditions {
    fn default() -> Self {
        Self(Recent::new(MONTHS_MAX))
    }
}

impl Vendor {
    /// How good the data of each day is, or was a few minutes ago; nothing of days of which the
    /// vendor doesn't tell.
    ///
    /// # Errors
    /// [`VendorError`] after retries, when the vendor can't be asked.
    pub async fn recent_conditions(
        &self,
        dataset: &str,
        days: DayRange,
    ) -> Result<Vec<DayCondition>, VendorError> {
        let mut found = Vec::new();
        let mut day = days.start();
        while day < days.end() {
            let Some(month) = month_of(day) else { break };
            let question = (dataset.to_owned(), month.start());
            let asked = self.conditions_of_month(dataset, month);
            found.extend(self.recent_conditions.0.answer(question, asked).await?);
            day = month.end();
        }
        found.retain(|of| days.contains(of.day));
        Ok(found)
    }

    async fn conditions_of_month(
        &self,
        dataset: &str,
        month: DayRange,
    ) -> Result<Vec<DayCondition>, VendorError> {
        let until = month.end().min(Nanos::now().day().plus(1));
        match DayRange::new(month.start(), until) {
            None => Ok(Vec::new()),
            Some(days) => match self.conditions(dataset, days).await {
                // They are noted where there are any: that there are none stops no fetch.
                Err(VendorError::Refused { .. } | VendorError::NoSession { .. }) => Ok(Vec::new()),
                answered => answered,
            },
        }
    }
}
