//! Meanings: what symbols mean over some weeks, remembered for a while. A job's chunks come day by day, and
//! each would ask the source, a round trip before its stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::request::JobSource;
use common::source::Source;
use common::store::Chunk;
use common::time::{Day, DayRange, Nanos};
use common::vendor::Resolution;
use dbn::SType;
use tokio::time::Instant;

/// Days that are asked for at once.
const DAYS: i64 = 28;
/// How long an answer is believed.
const STAYS: Duration = Duration::from_mins(10);
/// Answers that are remembered, the latest; each of so many names at most, and of none that stands for
/// many instruments, so that they are small.
const ANSWERS_MAX: usize = 64;
const NAMES_MAX: usize = 100;

/// What was answered of late. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Meanings(Arc<Mutex<VecDeque<Answer>>>);

#[derive(Debug)]
struct Answer {
    question: Question,
    at: Instant,
    /// Absent when the source could not say.
    resolution: Option<Arc<Resolution>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Question {
    source: JobSource,
    dataset: String,
    stype_in: SType,
    names: Vec<String>,
    days: DayRange,
}

impl Meanings {
    /// What a chunk's symbols mean in weeks that hold its days, as was told within the last minutes:
    /// enough to know that nothing of it is held. `None` where only the chunk's own days can be asked
    /// for: they or the names are too many, or the source had no answer.
    pub async fn around(&self, source: &dyn Source, chunk: &Chunk) -> Option<Arc<Resolution>> {
        let names = chunk.symbols.names()?;
        if names.len() > NAMES_MAX || chunk.stype_in == SType::Parent {
            return None;
        }
        let days = weeks_of(chunk.days, Nanos::now().day())?;
        let question = Question {
            source: chunk.source.clone(),
            dataset: chunk.dataset.clone(),
            stype_in: chunk.stype_in,
            names: names.to_vec(),
            days,
        };
        if let Some(answered) = self.answered(&question) {
            return answered;
        }
        let asked = source.resolve(&chunk.dataset, chunk.stype_in, names, days);
        let resolution = asked.await.ok().map(Arc::new);
        let mut answers = self.answers();
        answers.truncate(ANSWERS_MAX - 1);
        answers.push_front(Answer {
            question,
            at: Instant::now(),
            resolution: resolution.clone(),
        });
        resolution
    }

    fn answered(&self, question: &Question) -> Option<Option<Arc<Resolution>>> {
        let mut answers = self.answers();
        answers.retain(|answer| answer.at.elapsed() < STAYS);
        let answer = answers.iter().find(|answer| answer.question == *question)?;
        Some(answer.resolution.clone())
    }

    /// Nobody panics while they hold them.
    fn answers(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Four weeks, the same for all days in them, up to today; `None` when they don't hold all of these days.
fn weeks_of(days: DayRange, today: Day) -> Option<DayRange> {
    let start = days.start().plus(-days.start().number().rem_euclid(DAYS));
    let weeks = DayRange::new(start, start.plus(DAYS).min(today))?;
    (weeks.end() >= days.end()).then_some(weeks)
}
