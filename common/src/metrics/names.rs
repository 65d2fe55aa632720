//! All metrics, in the order of `docs/metrics.md`, which is tested against this list.

use super::{Dimension, Kind, Metric, ToldBy};

/// From what the archive answers to the longest streams.
const STAGE_SECONDS: &[f64] = &[
    0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0,
];
/// Up to the longest that a 429 may hold requests back.
const WAIT_SECONDS: &[f64] = &[
    0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0,
];

const SCHEMA: Dimension = Dimension {
    name: "schema",
    values: "the vendor's name of the schema",
};

/// Every metric.
pub const ALL: &[&Metric] = &[
    &CHUNKS_SETTLED,
    &CHUNK_STAGE,
    &ROWS,
    &BYTES_RECEIVED,
    &SPEND_NANOUSD,
    &RETRIES,
    &VENDOR_ANSWERS,
    &LIMITER_WAIT,
    &LEASES_LOST,
    &LAST_SUCCESS,
    &BUILD_INFO,
    &UP,
    &CHUNKS,
    &JOBS,
    &OLDEST_DUE_CHUNK,
    &SPEND,
    &BUDGET,
    &QUEUE_DEPTH,
    &WORKERS,
];

/// Chunks that a worker brought to an end.
pub const CHUNKS_SETTLED: Metric = Metric {
    name: "backhaul_chunks_settled_total",
    kind: Kind::Counter,
    labels: &[
        Dimension {
            name: "state",
            values: "done, empty, dead, cancelled",
        },
        SCHEMA,
    ],
    told_by: ToldBy::Worker,
    meaning: "chunks that were brought to an end, by the state that they ended in",
};

/// How long stages took.
pub const CHUNK_STAGE: Metric = Metric {
    name: "backhaul_chunk_stage_seconds",
    kind: Kind::Histogram(STAGE_SECONDS),
    labels: &[Dimension {
        name: "stage",
        values: "fetch, prepare, load, commit",
    }],
    told_by: ToldBy::Worker,
    meaning: "seconds that a stage of a chunk took, where it went through: fetch from the source into \
              the archive; prepare (decode, transform, own, validate) without waiting for the database, \
              beside load; load into the open transaction; commit",
};

/// What became of records.
pub const ROWS: Metric = Metric {
    name: "backhaul_rows_total",
    kind: Kind::Counter,
    labels: &[
        SCHEMA,
        Dimension {
            name: "outcome",
            values: "loaded, quarantined, covered",
        },
    ],
    told_by: ToldBy::Worker,
    meaning: "records of chunks that were committed, by what became of them",
};

/// What was received.
pub const BYTES_RECEIVED: Metric = Metric {
    name: "backhaul_bytes_received_total",
    kind: Kind::Counter,
    labels: &[],
    told_by: ToldBy::Worker,
    meaning: "uncompressed bytes of records that were received, failed attempts included: what the \
              vendor bills",
};

/// What was spent.
pub const SPEND_NANOUSD: Metric = Metric {
    name: "backhaul_spend_nanousd_total",
    kind: Kind::Counter,
    labels: &[Dimension {
        name: "kind",
        values: "reserved, settled, saved",
    }],
    told_by: ToldBy::Worker,
    meaning: "billionths of a US dollar: reserved before requests, settled by what was received, and \
              saved by the archive. A reservation stays counted when it is settled",
};

/// What was tried again.
pub const RETRIES: Metric = Metric {
    name: "backhaul_retries_total",
    kind: Kind::Counter,
    labels: &[Dimension {
        name: "reason",
        values: "as below",
    }],
    told_by: ToldBy::Worker,
    meaning: "attempts at a chunk that failed and will be made again, by what failed",
};

/// What the vendor said.
pub const VENDOR_ANSWERS: Metric = Metric {
    name: "backhaul_vendor_answers_total",
    kind: Kind::Counter,
    labels: &[
        Dimension {
            name: "endpoint",
            values: "the vendor's name of it, for example timeseries.get_range",
        },
        Dimension {
            name: "status",
            values: "the HTTP status; none without an answer",
        },
    ],
    told_by: ToldBy::Worker,
    meaning: "the vendor's answers to requests",
};

/// How long requests waited to go out.
pub const LIMITER_WAIT: Metric = Metric {
    name: "backhaul_limiter_wait_seconds",
    kind: Kind::Histogram(WAIT_SECONDS),
    labels: &[Dimension {
        name: "family",
        values: "timeseries, metadata, symbology",
    }],
    told_by: ToldBy::Worker,
    meaning: "seconds that requests to the vendor waited for the limits that the fleet shares, or for \
              the end of a 429",
};

/// Claims that were lost.
pub const LEASES_LOST: Metric = Metric {
    name: "backhaul_leases_lost_total",
    kind: Kind::Counter,
    labels: &[],
    told_by: ToldBy::Worker,
    meaning: "chunks that were lost while they were worked on: the lease ran out, another has them, or \
              they were cancelled",
};

/// When a chunk was last finished.
pub const LAST_SUCCESS: Metric = Metric {
    name: "backhaul_last_success_timestamp_seconds",
    kind: Kind::Gauge,
    labels: &[],
    told_by: ToldBy::Both,
    meaning: "when a chunk was last done or proven empty, in seconds since 1970: a worker's own, or by \
              the database anybody's. Absent where there was none yet",
};

/// Which program it is.
pub const BUILD_INFO: Metric = Metric {
    name: "backhaul_build_info",
    kind: Kind::Gauge,
    labels: &[Dimension {
        name: "version",
        values: "the program's version",
    }],
    told_by: ToldBy::Both,
    meaning: "always 1",
};

/// Whether the figures are there.
pub const UP: Metric = Metric {
    name: "backhaul_up",
    kind: Kind::Gauge,
    labels: &[Dimension {
        name: "of",
        values: "database, redis",
    }],
    told_by: ToldBy::Serve,
    meaning: "1 where it answered, 0 where it didn't: its metrics are then absent, not old",
};

/// Where chunks stand.
pub const CHUNKS: Metric = Metric {
    name: "backhaul_chunks",
    kind: Kind::Gauge,
    labels: &[
        Dimension {
            name: "state",
            values: "pending, running, done, empty, dead, cancelled",
        },
        SCHEMA,
    ],
    told_by: ToldBy::Serve,
    meaning: "chunks of all jobs, by the state that they are in",
};

/// Where jobs stand.
pub const JOBS: Metric = Metric {
    name: "backhaul_jobs",
    kind: Kind::Gauge,
    labels: &[Dimension {
        name: "state",
        values: "pending, running, done, incomplete, paused, cancelled",
    }],
    told_by: ToldBy::Serve,
    meaning: "jobs, by the state that `scheduler status` tells",
};

/// How long work has been due.
pub const OLDEST_DUE_CHUNK: Metric = Metric {
    name: "backhaul_oldest_due_chunk_seconds",
    kind: Kind::Gauge,
    labels: &[],
    told_by: ToldBy::Serve,
    meaning: "for how many seconds the chunk has been due that waits the longest, of the 500 of each \
              active job that are next; 0 when none is due",
};

/// What was spent this month.
pub const SPEND: Metric = Metric {
    name: "backhaul_spend_usd",
    kind: Kind::Gauge,
    labels: &[Dimension {
        name: "kind",
        values: "reserved, settled, saved",
    }],
    told_by: ToldBy::Serve,
    meaning: "US dollars of this calendar month (UTC), of all jobs: reserved and not settled, settled, \
              and saved by the archive",
};

/// What may be spent in a month.
pub const BUDGET: Metric = Metric {
    name: "backhaul_budget_usd",
    kind: Kind::Gauge,
    labels: &[],
    told_by: ToldBy::Serve,
    meaning: "US dollars that may be spent in a calendar month; absent without a budget",
};

/// How much waits in the queue.
pub const QUEUE_DEPTH: Metric = Metric {
    name: "backhaul_queue_depth",
    kind: Kind::Gauge,
    labels: &[],
    told_by: ToldBy::Serve,
    meaning: "hints that wait in Redis for a worker: at most a window of what is due",
};

/// Who works.
pub const WORKERS: Metric = Metric {
    name: "backhaul_workers",
    kind: Kind::Gauge,
    labels: &[],
    told_by: ToldBy::Serve,
    meaning: "workers that Redis heard of within the last 30 seconds",
};
