//! `scaling`: a vendor with latency and a line of limited bandwidth, by slots and by workers: how near
//! the fleet comes to what the vendor lets through.

use std::time::Duration;

use anyhow::{Context, ensure};
use common::time::Day;

use crate::fleet::{Fleet, trades_per_day};
use crate::jobs::by_day;
use crate::outcome::Outcome;
use crate::samples::{Samples, number, per_second};

const ROUNDS: usize = 3;
/// Until each answer begins.
const LATENCY: Duration = Duration::from_millis(200);
/// What all answers together may come to, in bytes a second, compressed.
const BYTES_PER_SECOND: u64 = 4 << 20;
/// Workers, and the slots of each.
const FLEETS: [(usize, usize); 8] = [
    (1, 1),
    (1, 4),
    (1, 16),
    (1, 64),
    (2, 4),
    (4, 4),
    (8, 4),
    (8, 8),
];
/// Days for each slot, of two contracts: a chunk each.
const DAYS_PER_SLOT: usize = 8;

/// A job of so many days.
fn job(days: usize) -> anyhow::Result<String> {
    let start = Day::from_ymd(2022, 6, 1).context("a day")?;
    let end = start.plus(i64::try_from(days)?);
    Ok(by_day("trades", "ES.c.0, CL.c.0", start, end))
}

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let Some(fleet) = Fleet::start(trades_per_day(5_000))? else {
        return Ok(None);
    };
    let about = "Chunks of a vendor that answers after 200 ms, at 4 MiB a second in all.";
    let mut outcome = Outcome::new(about, ROUNDS);
    let first = fleet.installation()?;
    let most = FLEETS
        .map(|(workers, slots)| workers * slots)
        .into_iter()
        .max();
    first.submit(&job(most.unwrap_or(1) * DAYS_PER_SLOT)?)?;
    let all = first.work_off(1)?.job.chunks.total;
    let sent = fleet.vendor.sent();
    fleet.vendor.slow_down(LATENCY, Some(BYTES_PER_SECOND));
    // What the line lets through, and what one slot does: nobody can be faster than either.
    let line = number(all) * number(BYTES_PER_SECOND) / number(sent);
    let mut of_one_slot = None;
    for (workers, slots) in FLEETS {
        let (mut speeds, mut efficiencies) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut installation = fleet.installation()?;
            installation.set("BACKHAUL_WORKERS", slots.to_string());
            fleet.vendor.slow_down(Duration::ZERO, None);
            installation.submit(&job(workers * slots * DAYS_PER_SLOT)?)?;
            fleet.vendor.slow_down(LATENCY, Some(BYTES_PER_SECOND));
            let worked = installation.work_off(workers)?;
            let chunks = worked.job.chunks.total;
            installation.check_rows("trades_data", &worked)?;
            ensure!(
                chunks == worked.job.chunks.done + worked.job.chunks.empty,
                "every chunk once"
            );
            let speed = per_second(chunks, worked.took);
            let one = *of_one_slot.get_or_insert(speed);
            let ideal = (one * number(common::as_u64(workers * slots))).min(line);
            speeds.push(speed);
            efficiencies.push(speed / ideal);
        }
        let name = |what| format!("{what}_of_{workers}x{slots}");
        outcome.figure(name("chunks_per_second"), "chunks/s", Samples::new(speeds));
        outcome.figure(name("efficiency"), "of ideal", Samples::new(efficiencies));
    }
    outcome.once("line_chunks_per_second", "chunks/s", line);
    outcome
        .note("ideal: as many times one slot as there are slots, or the line, whichever is less");
    Ok(Some(outcome))
}
