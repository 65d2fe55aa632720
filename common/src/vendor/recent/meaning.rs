//! What symbols mean in a month. The chunks of a job come day by day, and each would ask, a round trip before
//! its stream.

use std::sync::Arc;

use dbn::SType;

use super::super::client::Vendor;
use super::super::error::VendorError;
use super::super::resolution::Resolution;
use super::{Recent, month_of};
use crate::time::{DayRange, Nanos};

/// Questions that are remembered at most; each of so many names at most, and of none that stands for many
/// instruments, so that answers are small.
const QUESTIONS_MAX: usize = 64;
const NAMES_MAX: usize = 100;

/// What symbols mean, by dataset, kind, names and days.
#[derive(Clone, Debug)]
pub(in super::super) struct RecentMeanings(Recent<Question, Option<Arc<Resolution>>>);

type Question = (String, SType, Vec<String>, DayRange);

impl Default for RecentMeanings {
    fn default() -> Self {
        Self(Recent::new(QUESTIONS_MAX))
    }
}

impl Vendor {
    /// What symbols mean in the month that holds these days, or meant a few minutes ago. `None` where
    /// only the days themselves can be asked for: they are of two months or not over, the names are too
    /// many, or the vendor refuses.
    ///
    /// # Errors
    /// [`VendorError`] after retries, when the vendor can't be asked.
    pub async fn recent_meaning(
        &self,
        dataset: &str,
        stype_in: SType,
        symbols: &[String],
        days: DayRange,
    ) -> Result<Option<Arc<Resolution>>, VendorError> {
        if symbols.len() > NAMES_MAX || stype_in == SType::Parent {
            return Ok(None);
        }
        let month = month_of(days.start());
        let until = |month: DayRange| month.end().min(Nanos::now().day());
        let month = month.and_then(|month| DayRange::new(month.start(), until(month)));
        let Some(month) = month.filter(|month| month.end() >= days.end()) else {
            return Ok(None);
        };
        let asked = async {
            match self.resolve(dataset, stype_in, symbols, month).await {
                // Of fewer days there may be an answer.
                Err(
                    VendorError::Refused { .. }
                    | VendorError::NoSession { .. }
                    | VendorError::NotYet { .. }
                    | VendorError::BeforeStart { .. },
                ) => Ok(None),
                answered => Ok(Some(Arc::new(answered?))),
            }
        };
        let question = (dataset.to_owned(), stype_in, symbols.to_vec(), month);
        self.recent_meanings.0.answer(question, asked).await
    }
}
