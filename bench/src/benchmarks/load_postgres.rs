//! `load-postgres`: a whole worker against `psql \copy` of the same rows into the same table, and against
//! what people write in Python.

mod python;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use simulator::Config;
use testkit::checksum::compare_table;
use tokio::runtime::Runtime;

use crate::fleet::{Fleet, Installation, Worked};
use crate::outcome::{Bound, Outcome};
use crate::programs;
use crate::samples::{Samples, number, per_second};
use crate::vendor::Vendor;

const ROUNDS: usize = 5;
/// Trades of the busiest contract on a full day.
const TRADES_PER_DAY: u32 = 1_000_000;
const MEBIBYTE: f64 = 1_048_576.0;
const TABLE: &str = "trades_data";
/// What differs between two loads of the same records.
const LINEAGE: [&str; 1] = ["chunk_id"];
/// Four days of trading, a chunk each.
const JOB: &str = "
name: load
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-08
end: 2024-01-12
chunking: {days: 1}
";
/// A worker's rounds, as they are compared.
#[derive(Default)]
struct Sides {
    worker: Vec<f64>,
    one_slot: Vec<f64>,
    psql: Vec<f64>,
    processor: Vec<f64>,
    peak: Vec<f64>,
}

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = Runtime::new()?;
    let history = Config {
        trades_per_day: TRADES_PER_DAY,
        ..Config::default()
    };
    let vendor = runtime.block_on(Vendor::start(history))?;
    let Some(fleet) = Fleet::start(vendor) else {
        return Ok(None);
    };
    // The first time the simulator makes the records; from then on they are there.
    let mut expected = fleet.installation()?;
    worked(&fleet, &mut expected, None)?;
    let file = expected.path().join("rows.bin");
    export(&expected, &file)?;
    let mut sides = Sides::default();
    for round in 0..ROUNDS {
        // Who is first changes, so that neither always meets the other's leftovers.
        let order = [round % 2 == 0, round % 2 == 1];
        for is_worker in order {
            match is_worker {
                true => measure_worker(&fleet, &expected, &runtime, &mut sides)?,
                false => sides.psql.push(psql(&fleet, &expected, &file, &runtime)?),
            }
        }
    }
    let mut outcome = Outcome::new(
        "A whole worker (HTTP, archive, rules, ledger) against psql \\copy of its rows into its table.",
        ROUNDS,
    );
    report(&mut outcome, sides);
    python::measure(&runtime, &fleet, &mut outcome)?;
    Ok(Some(outcome))
}

/// Loads the job; by default as many chunks at once as a worker takes up by itself.
fn worked(fleet: &Fleet, installation: &mut Installation<'_>, slots: Option<&str>) -> anyhow::Result<Worked> {
    if let Some(slots) = slots {
        installation.set("BACKHAUL_WORKERS", slots);
    }
    installation.submit(JOB)?;
    fleet.settle();
    let worked = installation.work_off(1)?;
    ensure!(worked.job.records.loaded > 0, "the job has rows");
    Ok(worked)
}

fn measure_worker(
    fleet: &Fleet,
    expected: &Installation<'_>,
    runtime: &Runtime,
    sides: &mut Sides,
) -> anyhow::Result<()> {
    for slots in [None, Some("1")] {
        let mut installation = fleet.installation()?;
        let worked = worked(fleet, &mut installation, slots)?;
        check(runtime, expected, &installation)?;
        let rows = worked.job.records.loaded;
        let speed = per_second(rows, worked.took);
        let taken = worked.workers[0].taken;
        match slots {
            None => {
                sides.worker.push(speed);
                let seconds = taken.processor.as_secs_f64();
                sides.processor.push(seconds * 1e6 / number(rows));
                sides.peak.push(number(taken.peak_bytes) / MEBIBYTE);
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

/// Rows that `psql` loads in a second, its own start included.
fn psql(
    fleet: &Fleet,
    expected: &Installation<'_>,
    file: &Path,
    runtime: &Runtime,
) -> anyhow::Result<f64> {
    let installation = fleet.installation()?;
    fleet.settle();
    let copy = format!("\\copy {TABLE} from '{}' (format binary)", file.display());
    let began = Instant::now();
    programs::run(psql_at(&installation.database).args(["-c", &copy]))?;
    let took = began.elapsed();
    let rows = check(runtime, expected, &installation)?;
    Ok(per_second(rows, took))
}

fn psql_at(database: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", database]);
    psql
}

/// Every row is there, once; how many there are. No speed is told of others.
fn check(
    runtime: &Runtime,
    expected: &Installation<'_>,
    found: &Installation<'_>,
) -> anyhow::Result<u64> {
    let compared = compare_table(&expected.database, &found.database, TABLE, &LINEAGE);
    let difference = runtime.block_on(compared);
    ensure!(difference.is_none(), "the rows differ: {difference:?}");
    Ok(difference.found.rows)
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
    outcome.figure("worker_peak_memory", "MiB", Samples::new(sides.peak));
    outcome.target("ratio_to_psql_copy", Bound::AtLeast(0.9));
    outcome.target("worker_core_seconds_per_million", Bound::AtMost(0.5));
    outcome.note("TimescaleDB: not measured; TIMESCALE_TEST_URL names no server");
}
