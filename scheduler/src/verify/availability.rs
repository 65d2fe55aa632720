//! Data-availability: where every day of every symbol and schema stands that was asked for.
//!
//! It goes by the ledger: whether the tables hold what the ledger says is for the integrity to see.
//! What was asked for is what jobs ask for that were not cancelled. The source is not asked: what the
//! database remembers of it has to do.
//!
//! | a day | is |
//! |---|---|
//! | held, degraded, or held without a note of its days | present |
//! | without a session, missing at the vendor or not there yet, before the symbol existed, or left out of the plan | a known gap: told, not missed |
//! | failed, waiting, running, or planned and not held | missing |

use std::collections::{BTreeMap, HashMap};

use common::configuration::document::Refusal;
use common::store::{JobStatus, Store};
use common::time::{Day, DayRange};
use common::vendor::Condition;
use serde::{Deserialize, Serialize};

use super::aspect::{Outcome, percent};
use super::{NOTHING_ASKED_FOR, Scope};
use crate::commands::demo;
use crate::coverage::gather::{Asked, Filter};
use crate::coverage::{Cell, Rows, Run, SchemaMap};
use crate::progress::{counted, thousands};

/// Stretches of days that are listed, of the missing and of known gaps each.
const LISTED_MAX: usize = 1_000;

/// What is present of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Symbols, each in each schema of each job.
    pub symbols: u64,
    /// Those of which nothing is missing.
    pub symbols_present: u64,
    /// Their UTC days.
    pub symbol_days: u64,
    /// Days that are present, or known gaps.
    pub symbol_days_present: u64,
    /// What is missing, the first of it.
    pub missing: Vec<Stretch>,
    /// What isn't listed of it.
    pub missing_more: u64,
    /// Days that are known gaps, by why.
    pub known_gaps: BTreeMap<String, u64>,
    /// The known gaps, the first of them.
    pub gaps: Vec<Stretch>,
    /// What isn't listed of them.
    pub gaps_more: u64,
    /// What to type so that the missing is loaded.
    pub load: Vec<String>,
}

/// Days of a symbol that follow each other and stand alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// The job's name.
    pub job: String,
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: String,
    /// The symbol, or `ALL_SYMBOLS`.
    pub symbol: String,
    /// The first UTC day.
    pub first_day: String,
    /// The last UTC day.
    pub last_day: String,
    /// How many days.
    pub days: u64,
    /// How they stand.
    pub why: String,
}

/// How a day counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Present,
    KnownGap(&'static str),
    Missing(&'static str),
}

const LEFT_OUT: Place = Place::KnownGap("left out of the plan: the source had nothing of it then");
const NEVER_PLANNED: Place = Place::Missing("never planned");

/// Looks at all that jobs ask for.
///
/// # Errors
/// When the database fails.
pub async fn check(scope: &Scope<'_>, jobs: &[JobStatus]) -> anyhow::Result<Availability> {
    let mut found = Availability::default();
    let origin = scope.store.origin().await?;
    let demo = origin.is_some_and(|origin| origin.starts_with(demo::ORIGIN));
    for job in jobs.iter().filter(|job| job.state != "cancelled") {
        let before = found.symbols - found.symbols_present;
        for (map, planned) in maps(scope.store, job).await? {
            found.add(&job.name, &map, &planned);
        }
        if found.symbols - found.symbols_present > before {
            found.load.extend(commands(scope, job, demo)?);
        }
    }
    if found.symbols == 0 {
        return Ok(Availability::of_nothing());
    }
    found.load.dedup();
    Ok(found)
}

/// A row's name, and its days twice: as if all were asked for, and by the chunks that ask for some.
type Told = Vec<(String, Vec<Run>, Vec<Run>)>;

/// What is known of each schema of a job.
async fn maps(store: &Store, job: &JobStatus) -> anyhow::Result<Vec<(SchemaMap, Told)>> {
    let asked = Asked {
        request: store.request(job.id).await?,
        job: Some(job.id),
        source: None,
    };
    let everything = Filter::default();
    let mut maps = Vec::new();
    for (schema, days) in asked.schemas(&everything) {
        let mut map = asked.map(schema, days, &everything, Some(store)).await?;
        let all = rows(&map);
        map.all_asked = false;
        let planned = rows(&map);
        let told = all.into_iter().zip(planned);
        let told = told.map(|((name, all), (_, planned))| (name, all, planned));
        let told = told.collect();
        maps.push((map, told));
    }
    Ok(maps)
}

fn rows(map: &SchemaMap) -> Vec<(String, Vec<Run>)> {
    let rows = Rows::of(map);
    let names = map.names.iter();
    names.map(|name| (name.clone(), rows.row(name))).collect()
}

/// What to type so that what is missing of a job is loaded.
fn commands(scope: &Scope<'_>, job: &JobStatus, demo: bool) -> Result<Vec<String>, Refusal> {
    let name = &job.name;
    let mut commands = Vec::new();
    if job.state == "paused" {
        commands.push(format!("scheduler resume {name}"));
    }
    if job.chunks.dead > 0 {
        commands.push(format!("scheduler retry {name}"));
    }
    let verb = match scope.session.settings.is_distributed() {
        true => "submit",
        false => "run",
    };
    let is_known = scope.session.find_job_file(name)?.is_some();
    commands.push(match (demo, is_known) {
        (true, _) => "scheduler demo".to_owned(),
        (false, true) => format!("scheduler {verb} {name}"),
        (false, false) => format!("scheduler {verb} FILE, with the job file of {name}"),
    });
    Ok(commands)
}

impl Availability {
    /// Where nothing was asked for.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self {
            load: vec!["scheduler demo".to_owned(), "scheduler run JOB".to_owned()],
            ..Self::default()
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.symbols == 0 {
            return Outcome::checked(false, 0.0, NOTHING_ASKED_FOR.to_owned());
        }
        let met = self.symbols_present == self.symbols;
        let missing = self.symbol_days - self.symbol_days_present;
        let mut figure = format!(
            "{} of {} by schema present",
            thousands(self.symbols_present),
            counted(self.symbols, "symbol"),
        );
        if missing > 0 {
            figure.push_str(&format!(", {} missing", counted(missing, "day")));
        }
        let gaps: u64 = self.known_gaps.values().sum();
        if gaps > 0 {
            figure.push_str(&format!("; {} are known gaps", counted(gaps, "day")));
        }
        let score = percent(self.symbol_days_present, self.symbol_days);
        Outcome::checked(met, score, figure)
    }

    fn add(&mut self, job: &str, map: &SchemaMap, told: &Told) {
        let conditions = map.evidence.conditions.iter();
        let conditions: HashMap<Day, Condition> =
            conditions.map(|of| (of.day, of.condition)).collect();
        for (symbol, all, planned) in told {
            let mut stretches = stretches(all, planned, &conditions);
            let none_planned = stretches.iter().all(|(_, place)| *place == LEFT_OUT);
            if none_planned {
                stretches.iter_mut().for_each(|of| of.1 = NEVER_PLANNED);
            }
            let mut whole = true;
            for (days, place) in stretches {
                let stretch = Stretch {
                    job: job.to_owned(),
                    dataset: map.dataset.clone(),
                    schema: map.schema.to_string(),
                    symbol: symbol.clone(),
                    first_day: days.start().to_string(),
                    last_day: days.end().plus(-1).to_string(),
                    days: u64::try_from(days.len_days()).unwrap_or_default(),
                    why: place.why().to_owned(),
                };
                whole &= !matches!(place, Place::Missing(_));
                self.count(place, stretch);
            }
            self.symbols += 1;
            self.symbols_present += u64::from(whole);
        }
    }

    fn count(&mut self, place: Place, stretch: Stretch) {
        let days = stretch.days;
        self.symbol_days += days;
        match place {
            Place::Present => self.symbol_days_present += days,
            Place::KnownGap(why) => {
                self.symbol_days_present += days;
                *self.known_gaps.entry(why.to_owned()).or_default() += days;
                list(&mut self.gaps, &mut self.gaps_more, stretch);
            }
            Place::Missing(_) => list(&mut self.missing, &mut self.missing_more, stretch),
        }
    }
}

impl Place {
    /// Why it is so; nothing of what is present.
    fn why(self) -> &'static str {
        match self {
            Self::Present => "",
            Self::KnownGap(why) | Self::Missing(why) => why,
        }
    }
}

fn list(listed: &mut Vec<Stretch>, more: &mut u64, stretch: Stretch) {
    match listed.len() < LISTED_MAX {
        true => listed.push(stretch),
        false => *more += 1,
    }
}

/// A row's days, in stretches that stand alike.
fn stretches(
    all: &[Run],
    planned: &[Run],
    conditions: &HashMap<Day, Condition>,
) -> Vec<(DayRange, Place)> {
    let day_by_day = |runs: &[Run]| {
        let days = runs
            .iter()
            .flat_map(|run| run.days.pieces(1).map(|day| (day, run.cell)));
        days.collect::<Vec<_>>()
    };
    let mut stretches: Vec<(DayRange, Place)> = Vec::new();
    for ((day, cell), (_, planned)) in day_by_day(all).into_iter().zip(day_by_day(planned)) {
        let is_planned = planned != Cell::NotAsked;
        let place = place(cell, is_planned, conditions.get(&day.start()).copied());
        match stretches.last_mut() {
            Some((days, before)) if *before == place => {
                *days = DayRange::new(days.start(), day.end()).unwrap_or(*days);
            }
            _ => stretches.push((day, place)),
        }
    }
    stretches
}

/// How a day counts, by where it stands, whether a chunk asks for it, and what the vendor says of it.
fn place(cell: Cell, is_planned: bool, condition: Option<Condition>) -> Place {
    match cell {
        Cell::Data | Cell::Held | Cell::Degraded => Place::Present,
        Cell::NoSession => Place::KnownGap("no session, or no records"),
        Cell::NotListed => Place::KnownGap("no such symbol then"),
        Cell::Missing => Place::KnownGap("missing at the vendor"),
        Cell::Pending if condition == Some(Condition::Pending) => {
            Place::KnownGap("not at the vendor yet")
        }
        Cell::Pending => Place::Missing("waiting"),
        Cell::Running => Place::Missing("running"),
        Cell::Failed => Place::Missing("failed"),
        Cell::Gap | Cell::NotAsked if is_planned => Place::Missing("not held"),
        Cell::Gap | Cell::NotAsked => LEFT_OUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(cells: &[(Cell, i64)]) -> Vec<Run> {
        let mut start = Day::from_ymd(2024, 1, 1).unwrap();
        let run = |(cell, days): &(Cell, i64)| {
            let range = DayRange::new(start, start.plus(*days)).unwrap();
            start = range.end();
            Run {
                days: range,
                cell: *cell,
                chunks: Vec::new(),
            }
        };
        cells.iter().map(run).collect()
    }

    #[test]
    fn a_day_that_no_chunk_asks_for_is_told_apart_from_one_that_was_lost() {
        let all = runs(&[(Cell::Gap, 3), (Cell::Data, 2), (Cell::Gap, 1)]);
        let planned = runs(&[
            (Cell::NotAsked, 2),
            (Cell::Gap, 1),
            (Cell::Data, 2),
            (Cell::Gap, 1),
        ]);
        let found = stretches(&all, &planned, &HashMap::new());
        let found: Vec<_> = found
            .into_iter()
            .map(|(days, place)| (days.len_days(), place))
            .collect();
        let lost = Place::Missing("not held");
        assert_eq!(
            found,
            [(2, LEFT_OUT), (1, lost), (2, Place::Present), (1, lost)]
        );
    }

    #[test]
    fn what_the_vendor_does_not_have_yet_is_not_missed() {
        let pending = Some(Condition::Pending);
        let waits = place(Cell::Pending, true, None);
        assert_eq!(waits, Place::Missing("waiting"));
        let later = place(Cell::Pending, true, pending);
        assert_eq!(later, Place::KnownGap("not at the vendor yet"));
        let failed = place(Cell::Failed, true, pending);
        assert_eq!(failed, Place::Missing("failed"));
    }
}
