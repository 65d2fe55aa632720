//! Work: weeks of small chunks, planned once and submitted to both fleets.

use std::time::{Duration, Instant};

use common::request::Request;
use common::store::{JobStatus, PlannedChunk};
use common::time::{Day, DayRange};
use dbn::{SType, Schema};

use super::STANDSTILL;
use super::crew::{self, Crew};
use crate::fleet::Fleet;
use crate::installation::{Piece, piece, request};

/// Chunks that wait or run from which on the next week is submitted.
const FEW: u64 = 40;

/// What is asked for of the week that begins on a Monday, a job for each kind of symbols.
pub type Week = fn(Day) -> Vec<(SType, Vec<Piece>)>;

/// What both fleets are to do.
pub struct Work {
    week: Week,
    monday: Day,
    jobs: Vec<(Request, Vec<PlannedChunk>)>,
}

impl Work {
    /// Weeks of chunks that overlap.
    pub fn new() -> Self {
        Self::of(week)
    }

    pub fn of(week: Week) -> Self {
        Self {
            week,
            monday: Day::from_ymd(2022, 1, 3).unwrap(),
            jobs: Vec::new(),
        }
    }

    /// Chunks of all jobs so far.
    pub fn chunks(&self) -> usize {
        self.jobs.iter().map(|(_, chunks)| chunks.len()).sum()
    }

    /// Submits another week when little is left to do; it is planned by the undisturbed fleet's vendor,
    /// which strikes nobody.
    pub async fn keep_coming(&mut self, fleet: &Fleet, planner: &Fleet) {
        if Standing::of(fleet).await.left <= FEW {
            self.submit_a_week(fleet, planner).await;
        }
    }

    /// Submits another week.
    pub async fn submit_a_week(&mut self, fleet: &Fleet, planner: &Fleet) {
        let monday = self.monday;
        for (stype_in, pieces) in (self.week)(monday) {
            let days = pieces.first().unwrap().days;
            let request = request(&format!("{stype_in} {monday}"), stype_in, days);
            let chunks = planner.plan(stype_in, &pieces).await;
            fleet.submit_planned(&request, &chunks).await;
            self.jobs.push((request, chunks));
        }
        self.monday = monday.plus(7);
    }

    /// Has all of it done by another fleet's one worker.
    pub async fn do_all(&self, fleet: &Fleet) {
        let mut alone = Crew::of(1, fleet, |command| {
            crew::manners(command);
        });
        for (request, chunks) in &self.jobs {
            fleet.submit_planned(request, chunks).await;
        }
        self.wait_until_complete(fleet, &mut alone).await;
        alone.stop().await;
    }

    /// Waits until all is done; a fleet that gets nowhere is told of.
    pub async fn wait_until_complete(&self, fleet: &Fleet, crew: &mut Crew) {
        let (mut last, mut moved) = (Standing::of(fleet).await, Instant::now());
        while last.left > 0 {
            crew.attend(fleet).await;
            // The database tells nobody when it changes.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = Standing::of(fleet).await;
            if now != last {
                (last, moved) = (now, Instant::now());
            }
            if moved.elapsed() > STANDSTILL {
                let unfinished = unfinished(fleet);
                panic!("nothing moves: {last:?}\n{unfinished}\n{}", fleet.log());
            }
        }
        assert!(last.dead == 0, "{last:?}\n{}", unfinished(fleet));
        assert!(last.all_complete, "{last:?}");
    }
}

/// How far a fleet is.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    left: u64,
    dead: u64,
    all_complete: bool,
}

impl Standing {
    async fn of(fleet: &Fleet) -> Self {
        let jobs = fleet.store.jobs(None).await.unwrap();
        let sum = |count: fn(&JobStatus) -> u64| jobs.iter().map(count).sum();
        Self {
            left: sum(|job| job.chunks.pending + job.chunks.running),
            dead: sum(|job| job.chunks.dead),
            all_complete: jobs.iter().all(|job| job.complete),
        }
    }
}

/// The chunks that are not done, and why.
pub fn unfinished(fleet: &Fleet) -> String {
    fleet.postgres.psql(
        "SELECT id, schema, state, failures, epoch, owner, error FROM chunks
         WHERE state NOT IN ('done', 'empty') ORDER BY state, id LIMIT 20",
    )
}

/// A week's jobs. The contract behind `ES.c.0` is asked for by its own name too, two days and a whole
/// week at a time; one schema is asked for of every instrument beside a single one; and the
/// definitions of several symbols are one stream.
fn week(monday: Day) -> Vec<(SType, Vec<Piece>)> {
    let days = |from, to| DayRange::new(monday.plus(from), monday.plus(to)).unwrap();
    let (mut continuous, mut raw) = (Vec::new(), Vec::new());
    let many = [Schema::Trades, Schema::Mbp1, Schema::Ohlcv1M];
    let contract = contract(monday);
    for schema in many {
        raw.push(piece(schema, &[&contract], days(0, 2)));
        raw.push(piece(schema, &[&contract], days(0, 5)));
        for day in 0..5 {
            let of_day = days(day, day + 1);
            continuous.push(piece(schema, &["ES.c.0"], of_day));
            continuous.push(piece(schema, &["CL.c.0", "GC.c.0", "NQ.c.0"], of_day));
        }
    }
    for day in 0..5 {
        let of_day = days(day, day + 1);
        continuous.push(piece(Schema::Definition, &["ES.c.0"], of_day));
        continuous.push(piece(Schema::Definition, &["CL.c.0", "NQ.c.0"], of_day));
        continuous.push(piece(Schema::Ohlcv1H, &["ES.c.0"], of_day));
        raw.push(piece(Schema::Ohlcv1H, &[], of_day));
    }
    vec![(SType::Continuous, continuous), (SType::RawSymbol, raw)]
}

/// The quarter's contract, which is the front one but for the days around its end.
fn contract(day: Day) -> String {
    let text = day.to_string();
    let month: usize = text[5..7].parse().unwrap();
    let code = ["H", "M", "U", "Z"][(month - 1) / 3];
    format!("ES{code}{}", &text[3..4])
}
