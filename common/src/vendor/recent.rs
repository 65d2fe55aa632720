//! Recent answers: what is asked for a month at a time and remembered for a while. Many chunks are of the
//! same month.

mod conditions;
mod meaning;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Datelike, Months};

use crate::time::{Day, DayRange, Nanos};

pub(super) use self::conditions::RecentConditions;
pub(super) use self::meaning::RecentMeanings;

/// What was asked for longer ago is asked for again.
const RECENT_SECONDS: f64 = 600.0;

/// Answers by their questions. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Recent<Q, A> {
    places: Arc<Mutex<HashMap<Q, Place<A>>>>,
    most: usize,
}

/// Where an answer is, or will be: locked while the vendor is asked.
type Place<A> = Arc<tokio::sync::Mutex<Option<Asked<A>>>>;

#[derive(Debug)]
struct Asked<A> {
    at: Nanos,
    answer: A,
}

impl<Q: Eq + Hash, A: Clone> Recent<Q, A> {
    /// None yet; above so many, all are asked for anew.
    fn new(most: usize) -> Self {
        Self {
            places: Arc::default(),
            most,
        }
    }

    /// The answer of a few minutes ago, or else what `ask` comes to. Whoever has the same question
    /// meanwhile waits for the one answer; an error is remembered by nobody.
    async fn answer<E>(
        &self,
        question: Q,
        ask: impl Future<Output = Result<A, E>>,
    ) -> Result<A, E> {
        let now = Nanos::now();
        let place = self.place(question, now);
        let mut known = place.lock().await;
        if let Some(asked) = &*known
            && asked.is_recent(now)
        {
            return Ok(asked.answer.clone());
        }
        let answer = ask.await?;
        *known = Some(Asked {
            at: now,
            answer: answer.clone(),
        });
        Ok(answer)
    }

    fn place(&self, question: Q, now: Nanos) -> Place<A> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let is_waited_for = |place: &Place<A>| Arc::strong_count(place) > 1;
        let is_recent = |place: &Place<A>| {
            let known = place.try_lock();
            known.is_ok_and(|known| known.as_ref().is_some_and(|asked| asked.is_recent(now)))
        };
        places.retain(|_, place| is_waited_for(place) || is_recent(place));
        if places.len() >= self.most {
            places.retain(|_, place| is_waited_for(place));
        }
        Arc::clone(places.entry(question).or_default())
    }
}

impl<A> Asked<A> {
    fn is_recent(&self, now: Nanos) -> bool {
        now.seconds_since(self.at) < RECENT_SECONDS
    }
}

/// The month that a day is of.
fn month_of(day: Day) -> Option<DayRange> {
    let first = day.date().with_day(1)?;
    let next = first.checked_add_months(Months::new(1))?;
    DayRange::new(first.try_into().ok()?, next.try_into().ok()?)
}
