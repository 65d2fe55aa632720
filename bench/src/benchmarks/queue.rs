//! `queue`: chunks a second through the queue, claim and settlement, with next to no work in each.

use anyhow::ensure;
use simulator::Config;

use crate::fleet::Fleet;
use crate::outcome::Outcome;
use crate::samples::{Samples, number, per_second};
use crate::vendor::Vendor;

const ROUNDS: usize = 3;
const WORKERS: [usize; 4] = [1, 2, 4, 8];
/// A chunk is one bar.
const JOB: &str = "
name: queue
dataset: GLBX.MDP3
schemas: [ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2019-01-01
end: 2024-01-01
chunking: {days: 1, symbols: 1}
";

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let vendor = runtime.block_on(Vendor::start(Config::default()))?;
    let Some(fleet) = Fleet::start(vendor) else {
        return Ok(None);
    };
    let about = "Chunks of one bar: queue, claim, request, archive, load and settlement of each.";
    let mut outcome = Outcome::new(about, ROUNDS);
    // The first time the simulator makes the records.
    let first = fleet.installation()?;
    first.submit(JOB)?;
    let chunks = first.work_off(2)?.job.chunks.total;
    for workers in WORKERS {
        let (mut speeds, mut processors) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let installation = fleet.installation()?;
            installation.submit(JOB)?;
            fleet.settle();
            let worked = installation.work_off(workers)?;
            ensure!(worked.job.chunks.total == chunks, "every chunk once");
            speeds.push(per_second(chunks, worked.took));
            let taken = worked.workers.iter().map(|worker| worker.taken.processor);
            let seconds: f64 = taken.map(|taken| taken.as_secs_f64()).sum();
            processors.push(seconds * 1_000.0 / number(chunks));
        }
        let name = |what| format!("{what}_of_{workers}_workers");
        outcome.figure(name("chunks_per_second"), "chunks/s", Samples::new(speeds));
        outcome.figure(name("worker_core_ms_per_chunk"), "core-ms", Samples::new(processors));
    }
    outcome.note(format!("{chunks} chunks; servers, vendor and workers share the machine"));
    Ok(Some(outcome))
}
