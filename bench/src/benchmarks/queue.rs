//! `queue`: chunks a second through the queue, claim and settlement, with next to no work in each.

use anyhow::ensure;
use simulator::Config;

use crate::fleet::Fleet;
use crate::jobs::by_day;
use crate::outcome::Outcome;
use crate::samples::{Samples, number, per_second};

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

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let Some(fleet) = Fleet::start(Config::default())? else {
        return Ok(None);
    };
    let about = "Chunks of one bar: queue, claim, request, archive, load and settlement of each.";
    let mut outcome = Outcome::new(about, ROUNDS);
    // A chunk is one bar.
    let job = by_day("ohlcv-1d", "ES.c.0, CL.c.0", "2021-07-01", "2024-01-01");
    // The first time the simulator makes the records.
    let first = fleet.installation()?;
    first.submit(&job)?;
    let chunks = first.work_off(2)?.job.chunks.total;
    for workers in WORKERS {
        let mut measures: [Vec<f64>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let installation = fleet.installation()?;
            installation.submit(&job)?;
            fleet.settle();
            let worked = installation.work_off(workers)?;
            ensure!(worked.job.chunks.total == chunks, "every chunk once");
            installation.check_rows("ohlcv_data", &worked)?;
            let taken = worked.workers.iter().map(|worker| worker.taken.processor);
            let workers: f64 = taken.map(|taken| taken.as_secs_f64()).sum();
            let servers = worked.servers;
            let each = |of_all: f64| of_all / number(chunks);
            let measured = [
                per_second(chunks, worked.took),
                each(workers * 1_000.0),
                each(servers.processor.as_secs_f64() * 1_000.0),
                each(servers.log_bytes),
                each(servers.log_syncs),
                each(number(servers.redis_commands)),
            ];
            for (all, value) in measures.iter_mut().zip(measured) {
                all.push(value);
            }
        }
        for ((what, unit), all) in FIGURES.into_iter().zip(measures) {
            outcome.figure(
                format!("{what}_of_{workers}_workers"),
                unit,
                Samples::new(all),
            );
        }
    }
    outcome.note(format!(
        "{chunks} chunks; servers, vendor and workers share the machine"
    ));
    Ok(Some(outcome))
}
