//! `memory`: the most that a worker takes, by the size of its chunk.

use anyhow::ensure;

use crate::fleet::{Fleet, trades_per_day};
use crate::jobs::by_day;
use crate::outcome::{Bound, Outcome};
use crate::samples::{Samples, per_second};

const ROUNDS: usize = 3;
/// Records of the one chunk, about.
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let mut outcome = Outcome::new("The peak of a worker's memory, over one chunk.", ROUNDS);
    let job = by_day("trades", "ES.c.0", "2024-01-09", "2024-01-10");
    for size in SIZES {
        let Some(fleet) = Fleet::start(trades_per_day(size))? else {
            return Ok(None);
        };
        let (mut peaks, mut speeds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let installation = fleet.installation()?;
            installation.submit(&job)?;
            let worked = installation.work_off(1)?;
            let rows = installation.check_rows("trades_data", &worked)?;
            ensure!(rows >= u64::from(size) / 2, "a chunk of {rows} rows");
            peaks.push(worked.workers[0].taken.peak_mebibytes());
            speeds.push(per_second(rows, worked.took));
        }
        outcome.figure(format!("peak_of_{size}"), "MiB", Samples::new(peaks));
        outcome.figure(format!("speed_of_{size}"), "rows/s", Samples::new(speeds));
    }
    outcome.target(format!("peak_of_{}", SIZES[3]), Bound::AtMost(256.0));
    Ok(Some(outcome))
}
