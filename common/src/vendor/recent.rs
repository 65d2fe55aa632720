//! Recent conditions: those of the days of a fetch, asked for a month at a time and remembered for a
//! while. Many chunks are of the same month.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike, Months};
use tokio::sync::Mutex;

use super::client::Vendor;
use super::conditions::DayCondition;
use super::error::VendorError;
use crate::time::{Day, DayRange, Nanos};

/// What was asked for longer ago is asked for again. A fetch notes conditions of before its stream, so
/// that a day that is rewritten meanwhile counts as rewritten since.
const RECENT_SECONDS: f64 = 600.0;

/// Conditions of months, and when they were asked for. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentConditions(Arc<Mutex<HashMap<(String, Day), Asked>>>);

#[derive(Debug)]
struct Asked {
    at: Nanos,
    conditions: Vec<DayCondition>,
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
            found.extend(self.month(dataset, month).await?);
            day = month.end();
        }
        found.retain(|of| days.contains(of.day));
        Ok(found)
    }

    async fn month(
        &self,
        dataset: &str,
        month: DayRange,
    ) -> Result<Vec<DayCondition>, VendorError> {
        let now = Nanos::now();
        // Held while the vendor is asked: whoever needs the same month waits for the one answer.
        let mut asked = self.recent.0.lock().await;
        let key = (dataset.to_owned(), month.start());
        if let Some(known) = asked.get(&key)
            && now.seconds_since(known.at) < RECENT_SECONDS
        {
            return Ok(known.conditions.clone());
        }
        let until = month.end().min(now.day().plus(1));
        let conditions = match DayRange::new(month.start(), until) {
            None => Vec::new(),
            Some(days) => match self.conditions(dataset, days).await {
                // They are noted where there are any: that there are none stops no fetch.
                Err(VendorError::Refused { .. } | VendorError::NoSession { .. }) => Vec::new(),
                answered => answered?,
            },
        };
        asked.retain(|_, known| now.seconds_since(known.at) < RECENT_SECONDS);
        let known = Asked {
            at: now,
            conditions: conditions.clone(),
        };
        asked.insert(key, known);
        Ok(conditions)
    }
}

fn month_of(day: Day) -> Option<DayRange> {
    let first = day.date().with_day(1)?;
    let next = first.checked_add_months(Months::new(1))?;
    DayRange::new(first.try_into().ok()?, next.try_into().ok()?)
}
