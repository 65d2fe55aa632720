//! `memory`: the most that a worker takes, by the size of its chunk.

use anyhow::ensure;
use simulator::Config;

use crate::fleet::Fleet;
use crate::outcome::{Bound, Outcome};
use crate::samples::{Samples, number, per_second};
use crate::vendor::Vendor;

const ROUNDS: usize = 3;
/// Records of the one chunk, about.
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const MEBIBYTE: f64 = 1_048_576.0;
const JOB: &str = "
name: memory
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-09
end: 2024-01-10
chunking: {days: 1}
";

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut outcome = Outcome::new("The peak of a worker's memory, over one chunk.", ROUNDS);
    for size in SIZES {
        let history = Config {
            trades_per_day: size,
            ..Config::default()
        };
        let vendor = runtime.block_on(Vendor::start(history))?;
        let Some(fleet) = Fleet::start(vendor) else {
            return Ok(None);
        };
        let (mut peaks, mut speeds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let installation = fleet.installation()?;
            installation.submit(JOB)?;
            let worked = installation.work_off(1)?;
            let rows = installation.check_rows("trades_data", &worked)?;
            ensure!(rows >= u64::from(size) / 2, "a chunk of {rows} rows");
            peaks.push(number(worked.workers[0].taken.peak_bytes) / MEBIBYTE);
            speeds.push(per_second(rows, worked.took));
        }
        outcome.figure(format!("peak_of_{size}"), "MiB", Samples::new(peaks));
        outcome.figure(format!("speed_of_{size}"), "rows/s", Samples::new(speeds));
    }
    outcome.target(format!("peak_of_{}", SIZES[3]), Bound::AtMost(256.0));
    Ok(Some(outcome))
}
