//! Measure: what a worker's metrics, and its traces, take from the work on chunks.

use std::time::Duration;

use common::metrics::{
    BYTES_RECEIVED, CHUNK_STAGE, CHUNKS_SETTLED, LAST_SUCCESS, LEASES_LOST, RETRIES, ROWS,
    SPEND_NANOUSD, UNLABELLED, VENDOR_ANSWERS,
};
use common::money::Usd;
use common::store::Loaded;
use common::time::Nanos;
use dbn::Schema;

use crate::environment::Outcome;
use crate::error::{ChunkError, chain};
use crate::trace;

/// Labels that are told from the start, so that their first rise is seen.
pub(crate) fn begin() {
    for kind in ["reserved", "settled", "saved"] {
        SPEND_NANOUSD.add(0, [kind]);
    }
    BYTES_RECEIVED.add(0, UNLABELLED);
    LEASES_LOST.add(0, UNLABELLED);
    for reason in crate::settle::REASONS {
        RETRIES.add(0, [reason]);
    }
    for status in ["200", "401", "402", "403", "429"] {
        VENDOR_ANSWERS.add(0, ["timeseries.get_range", status]);
    }
}

/// A stage went through, and took so long.
pub(crate) fn stage(name: &'static str, took: Duration) {
    CHUNK_STAGE.observe(took.as_secs_f64(), [name]);
    trace::stage(name, took);
}

/// A stage failed after so long: that is no duration of the stage, and seen in traces alone.
pub(crate) fn stage_failed(name: &'static str, took: Duration, error: &ChunkError) {
    if trace::is_on() {
        trace::stage_failed(name, took, &chain(error));
    }
}

/// A stream is in the archive, with so many uncompressed bytes of records.
pub(crate) fn archived(bytes: u64) {
    trace::note("backhaul.bytes", bytes);
}

/// Money is set aside for a request.
pub(crate) fn reserved(amount: Usd) {
    SPEND_NANOUSD.add(nanousd(amount), ["reserved"]);
}

/// A request is paid, for so many bytes.
pub(crate) fn paid(amount: Usd, bytes: u64) {
    SPEND_NANOUSD.add(nanousd(amount), ["settled"]);
    BYTES_RECEIVED.add(bytes, UNLABELLED);
}

/// The archive answered what would have cost so much.
pub(crate) fn saved(amount: Usd) {
    SPEND_NANOUSD.add(nanousd(amount), ["saved"]);
}

/// Rows were committed.
pub(crate) fn committed(schema: Schema, loaded: &Loaded) {
    for (outcome, records) in [
        ("loaded", loaded.loaded),
        ("quarantined", loaded.quarantined),
        ("covered", loaded.covered),
    ] {
        ROWS.add(records, [schema.as_str(), outcome]);
    }
    trace::note("backhaul.rows", loaded.loaded);
    trace::note("backhaul.quarantined", loaded.quarantined);
}

/// What became of an attempt at a chunk; what is tried again is counted with its reason, where that is
/// known.
pub(crate) fn settled(schema: Schema, outcome: &Outcome) {
    came_to(outcome);
    let state = match outcome {
        Outcome::Done { .. } => "done",
        Outcome::Empty => "empty",
        Outcome::Dead { .. } => "dead",
        Outcome::Gap { .. } => "cancelled",
        Outcome::Retry { .. } | Outcome::Waits | Outcome::NotYet { .. } | Outcome::HandedBack => {
            return;
        }
    };
    CHUNKS_SETTLED.add(1, [state, schema.as_str()]);
    if let "done" | "empty" = state {
        LAST_SUCCESS.set(Nanos::now().seconds_since(Nanos(0)), UNLABELLED);
    }
}

/// What a trace says of an attempt: that it failed only where something did.
fn came_to(outcome: &Outcome) {
    let (name, error) = match outcome {
        Outcome::Done { .. } => ("done", None),
        Outcome::Empty => ("empty", None),
        Outcome::Gap { .. } => ("gap", None),
        Outcome::Waits => ("waits", None),
        Outcome::NotYet { .. } => ("not_yet", None),
        Outcome::HandedBack => ("handed_back", None),
        Outcome::Retry { error } => ("retry", Some(error)),
        Outcome::Dead { error } => ("dead", Some(error)),
    };
    trace::came_to(name, error.map(String::as_str));
}

/// An attempt failed, and will be made again.
pub(crate) fn retried(reason: &'static str) {
    RETRIES.add(1, [reason]);
}

/// A chunk was lost while it was worked on.
pub(crate) fn lease_lost() {
    LEASES_LOST.add(1, UNLABELLED);
}

fn nanousd(amount: Usd) -> u64 {
    u64::try_from(amount.0).unwrap_or_default()
}
