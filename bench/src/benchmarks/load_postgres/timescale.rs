//! The same with TimescaleDB's columnstore, against `psql` into the hypertable as rows; and what both take
//! on the disk.

use std::path::Path;

use super::{ROUNDS, TABLE, check, psql, worked};
use crate::fleet::{Fleet, Installation};
use crate::outcome::{Bound, Outcome};
use crate::samples::{Samples, in_turns, number, per_second};

/// Measures it, where it is installed; `expected` are the rows, `file` the same as `psql` takes them.
pub fn measure(
    plain: &Fleet,
    expected: &(u64, String),
    file: &Path,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let Some(fleet) = plain.with_timescale() else {
        outcome.note("TimescaleDB: not measured, it is not installed");
        return Ok(());
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_bytes, mut their_bytes) = (Vec::new(), Vec::new());
    let (mut processor, mut log_bytes) = (Vec::new(), Vec::new());
    for is_worker in in_turns(ROUNDS) {
        let mut installation = fleet.installation()?;
        let (speeds, bytes) = match is_worker {
            true => (&mut ours, &mut our_bytes),
            false => (&mut theirs, &mut their_bytes),
        };
        let (took, servers) = match is_worker {
            true => {
                let worked = worked(&fleet, &mut installation, None)?;
                (worked.took, Some(worked.servers))
            }
            false => (psql(&fleet, &installation, file)?, None),
        };
        let rows = check(expected, &fleet, &installation)?;
        if let Some(servers) = servers {
            processor.push(servers.processor.as_secs_f64() * 1e6 / number(rows));
            log_bytes.push(servers.log_bytes / number(rows));
        }
        speeds.push(per_second(rows, took));
        bytes.push(number(size(&fleet, &installation)?) / number(rows));
    }
    let [ours, theirs] = [ours, theirs].map(Samples::new);
    let [our_bytes, their_bytes] = [our_bytes, their_bytes].map(Samples::new);
    outcome.ratio("timescale_ratio_to_psql_copy", &ours, &theirs);
    outcome.ratio("timescale_ratio_of_bytes", &our_bytes, &their_bytes);
    outcome.figure("timescale_worker_rows_per_second", "rows/s", ours);
    outcome.figure("timescale_psql_rows_per_second", "rows/s", theirs);
    outcome.figure("timescale_worker_bytes_per_row", "bytes", our_bytes);
    outcome.figure("timescale_psql_bytes_per_row", "bytes", their_bytes);
    let processor = Samples::new(processor);
    outcome.figure("timescale_core_seconds_per_million", "core-s", processor);
    outcome.figure(
        "timescale_log_bytes_per_row",
        "bytes",
        Samples::new(log_bytes),
    );
    outcome.target("timescale_ratio_to_psql_copy", Bound::AtLeast(1.3));
    outcome.target("timescale_ratio_of_bytes", Bound::AtMost(0.2));
    Ok(())
}

/// Bytes of the table on the disk, its indexes included.
fn size(fleet: &Fleet, installation: &Installation<'_>) -> anyhow::Result<u64> {
    let asked = format!("SELECT hypertable_size('{TABLE}')");
    let bytes = fleet.postgres.psql_at(&installation.database, &asked);
    Ok(bytes.trim().parse()?)
}
