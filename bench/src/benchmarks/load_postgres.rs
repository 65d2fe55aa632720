//! `load-postgres`: a whole worker against `psql \copy` of the same rows into the same table, and against
//! what people write in Python.

mod python;
mod timescale;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use self::python::Speeds;
use crate::fleet::{Fleet, Installation, Worked, trades_per_day};
use crate::jobs::by_day;
use crate::outcome::{Bound, Outcome};
use crate::programs;
use crate::samples::{Samples, in_turns, number, per_second};

const ROUNDS: usize = 5;
/// Trades of the busiest contract on a full day.
const TRADES_PER_DAY: u32 = 1_000_000;
const TABLE: &str = "trades_data";
/// A worker's rounds, as they are compared.
#[derive(Default)]
struct Sides {
    worker: Vec<f64>,
    one_slot: Vec<f64>,
    psql: Vec<f64>,
    processor: Vec<f64>,
    peak: Vec<f64>,
    database: Vec<f64>,
    log_bytes: Vec<f64>,
}

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let Some(fleet) = Fleet::start(trades_per_day(TRADES_PER_DAY))? else {
        return Ok(None);
    };
    // The first time the simulator makes the records; from then on they are there.
    let mut first = fleet.installation()?;
    worked(&fleet, &mut first, None)?;
    let file = first.path().join("rows.bin");
    export(&first, &file)?;
    let expected = digest(&fleet, &first)?;
    let python = Speeds::measure(&fleet, &first)?;
    let mut sides = Sides::default();
    for is_worker in in_turns(ROUNDS) {
        match is_worker {
            true => measure_worker(&fleet, &expected, &mut sides)?,
            false => {
                let installation = fleet.installation()?;
                let took = psql(&fleet, &installation, &file)?;
                let rows = check(&expected, &fleet, &installation)?;
                sides.psql.push(per_second(rows, took));
            }
        }
    }
    let mut outcome = Outcome::new(
        "A whole worker (HTTP, archive, rules, ledger) against psql \\copy of its rows into its table.",
        ROUNDS,
    );
    report(&mut outcome, sides);
    timescale::measure(&fleet, &expected, &file, &mut outcome)?;
    python.report(&mut outcome);
    Ok(Some(outcome))
}

/// Loads the job; by default as many chunks at once as a worker takes up by itself.
fn worked(
    fleet: &Fleet,
    installation: &mut Installation<'_>,
    slots: Option<&str>,
) -> anyhow::Result<Worked> {
    if let Some(slots) = slots {
        installation.set("BACKHAUL_WORKERS", slots);
    }
    // Four days of trading, a chunk each.
    installation.submit(&by_day("trades", "ES.c.0", "2024-01-08", "2024-01-12"))?;
    fleet.settle();
    let worked = installation.work_off(1)?;
    ensure!(worked.job.records.loaded > 0, "the job has rows");
    Ok(worked)
}

fn measure_worker(
    fleet: &Fleet,
    expected: &(u64, String),
    sides: &mut Sides,
) -> anyhow::Result<()> {
    for slots in [None, Some("1")] {
        let mut installation = fleet.installation()?;
        let worked = worked(fleet, &mut installation, slots)?;
        let rows = check(expected, fleet, &installation)?;
        let speed = per_second(rows, worked.took);
        let taken = worked.workers[0].taken;
        match slots {
            None => {
                sides.worker.push(speed);
                let seconds = taken.processor.as_secs_f64();
                sides.processor.push(seconds * 1e6 / number(rows));
                let database = worked.servers.processor.as_secs_f64();
                sides.database.push(database * 1e6 / number(rows));
                sides
                    .log_bytes
                    .push(worked.servers.log_bytes / number(rows));
                sides.peak.push(taken.peak_mebibytes());
            }
            Some(_) => sides.one_slot.push(speed),
        }
    }
    Ok(())
}

/// The rows as `psql` takes them, in a file.
fn export(installation: &Installation<'_>, file: &Path) -> anyhow::Result<()> {
    let copy = format!("\\copy {TABLE} to '{}' (format binary)", file.display());
    programs::run(psql_at(&installation.database).args(["-c", &copy]))?;
    Ok(())
}

/// How long `psql` takes to load them, its own start included.
fn psql(fleet: &Fleet, installation: &Installation<'_>, file: &Path) -> anyhow::Result<Duration> {
    fleet.settle();
    let copy = format!("\\copy {TABLE} from '{}' (format binary)", file.display());
    let began = Instant::now();
    programs::run(psql_at(&installation.database).args(["-c", &copy]))?;
    Ok(began.elapsed())
}

fn psql_at(database: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", database]);
    psql
}

/// How many rows a table has, and a sum over a hash of each that goes by all their columns, in any order.
fn digest(fleet: &Fleet, installation: &Installation<'_>) -> anyhow::Result<(u64, String)> {
    let asked = format!("SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {TABLE} AS t");
    let told = fleet.postgres.psql_at(&installation.database, &asked);
    let (rows, sum) = told.trim().split_once('|').context("two numbers")?;
    Ok((rows.parse()?, sum.to_owned()))
}

/// Every row is there, once; how many there are. No speed is told of others.
fn check(
    expected: &(u64, String),
    fleet: &Fleet,
    installation: &Installation<'_>,
) -> anyhow::Result<u64> {
    let found = digest(fleet, installation)?;
    ensure!(
        found == *expected,
        "the rows differ: {found:?} instead of {expected:?}"
    );
    Ok(found.0)
}

fn report(outcome: &mut Outcome, sides: Sides) {
    let worker = Samples::new(sides.worker);
    let one_slot = Samples::new(sides.one_slot);
    let psql = Samples::new(sides.psql);
    outcome.ratio("ratio_to_psql_copy", &worker, &psql);
    outcome.ratio("ratio_to_psql_copy_one_slot", &one_slot, &psql);
    outcome.figure("worker_rows_per_second", "rows/s", worker);
    outcome.figure("worker_one_slot_rows_per_second", "rows/s", one_slot);
    outcome.figure("psql_rows_per_second", "rows/s", psql);
    let processor = Samples::new(sides.processor);
    outcome.figure("worker_core_seconds_per_million", "core-s", processor);
    let database = Samples::new(sides.database);
    outcome.figure("database_core_seconds_per_million", "core-s", database);
    outcome.figure(
        "database_log_bytes_per_row",
        "bytes",
        Samples::new(sides.log_bytes),
    );
    outcome.figure("worker_peak_memory", "MiB", Samples::new(sides.peak));
    outcome.target("ratio_to_psql_copy", Bound::AtLeast(0.9));
    outcome.target("worker_core_seconds_per_million", Bound::AtMost(0.5));
}
