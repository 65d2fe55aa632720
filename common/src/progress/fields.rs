//! A job's standing as the fields of a hash.

use crate::store::JobStatus;

/// Values by name, as they are written; without `updated_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) values: Vec<(&'static str, String)>,
    pub(super) dead: u64,
}

/// A job's fields. Where nobody can tell when it will be done, `eta_seconds` is empty.
pub(super) fn fields(job: &JobStatus, eta_seconds: Option<u64>) -> Fields {
    let (chunks, records) = (job.chunks, job.records);
    let eta = eta_seconds.map_or_else(String::new, |seconds| seconds.to_string());
    Fields {
        values: vec![
            ("name", job.name.clone()),
            ("state", job.state.to_owned()),
            ("chunks_total", chunks.total.to_string()),
            ("chunks_pending", chunks.pending.to_string()),
            ("chunks_running", chunks.running.to_string()),
            ("chunks_done", chunks.done.to_string()),
            ("chunks_empty", chunks.empty.to_string()),
            ("chunks_dead", chunks.dead.to_string()),
            ("records_fetched", records.fetched.to_string()),
            ("records_loaded", records.loaded.to_string()),
            ("records_quarantined", records.quarantined.to_string()),
            ("records_covered", records.covered.to_string()),
            ("bytes", job.bytes_received.to_string()),
            ("spent_usd", job.spent_usd.to_string()),
            ("percent", percent(job)),
            ("eta_seconds", eta),
        ],
        dead: chunks.dead,
    }
}

/// Finished chunks of those that weren't called off, rounded down: 100.0 is all of them.
fn percent(job: &JobStatus) -> String {
    let chunks = job.chunks;
    let wanted = chunks.total.saturating_sub(chunks.cancelled);
    let finished = u128::from(chunks.done + chunks.empty);
    let tenths = match (finished * 1_000).checked_div(u128::from(wanted)) {
        Some(tenths) => tenths,
        // There was nothing to do, or all of it was called off.
        None if job.complete => 1_000,
        None => 0,
    };
    format!("{}.{}", tenths / 10, tenths % 10)
}
