//! `queue`: chunks a second through the queue, claim and settlement, with next to no work in each.

use anyhow::ensure;
use simulator::Config;

use crate::fleet::Fleet;
use crate::outcome::Outcome;
use crate::samples::{Samples, number, per_second};
use crate::vendor::Vendor;

const ROUNDS: usize = 3;
const WORKERS: [usize; 4] = [1, 2, 4, 8];
/// What is told of each fleet, by chunk.
const FIGURES: [(&str, &str); 6] = [
    ("chunks_per_second", "chunks/s"),
    ("worker_core_ms_per_chunk", "core-ms"),
    ("database_core_ms_per_chunk", "core-ms"),
    ("database_log_bytes_per_chunk", "bytes"),
    ("database_syncs_per_chunk", "syncs"),
    ("redis_commands_per_chunk", "commands"),
];
/// A chunk is one bar.
const JOB: &str = "
name: queue
dataset: GLBX.MDP3
schemas: [ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2021-07-01
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
        let mut sums: [Vec<f64>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let installation = fleet.installation()?;
            installation.submit(JOB)?;
            fleet.settle();
            let worked = installation.work_off(workers)?;
            ensure!(worked.job.chunks.total == chunks, "every chunk once");
            installation.check_rows("ohlcv_data", &worked)?;
            let taken = worked.workers.iter().map(|worker| worker.taken.processor);
            let workers: f64 = taken.map(|taken| taken.as_secs_f64()).sum();
            let servers = worked.servers;
            let of_each = [
                per_second(chunks, worked.took) * number(chunks),
                workers * 1_000.0,
                servers.processor.as_secs_f64() * 1_000.0,
                servers.log_bytes,
                servers.log_syncs,
                number(servers.redis_commands),
            ];
            for (sum, of_all) in sums.iter_mut().zip(of_each) {
                sum.push(of_all / number(chunks));
            }
        }
        for ((what, unit), sum) in FIGURES.into_iter().zip(sums) {
            outcome.figure(
                format!("{what}_of_{workers}_workers"),
                unit,
                Samples::new(sum),
            );
        }
    }
    outcome.note(format!(
        "{chunks} chunks; servers, vendor and workers share the machine"
    ));
    Ok(Some(outcome))
}
