//! An installation as it might stand, for who draws it.

use common::chunk::{ChunkId, ChunkState, JobId};
use common::money::Usd;
use common::progress::{Heard, Seen};
use common::store::status::{ChunkCounts, RecordCounts};
use common::store::{Failure, JobSpending, JobStatus, MonthsSpend, Part, SettledMinute, Working};
use common::time::{DayRange, Nanos};
use scheduler::overview::{JobProgress, Money, Overview, Run, Totals};

const SECOND: i64 = 1_000_000_000;

/// When it stands so.
pub fn at() -> Nanos {
    "2024-03-05T14:07:31Z".parse().unwrap()
}

fn ago(seconds: i64) -> Nanos {
    Nanos(at().0 - seconds * SECOND)
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

/// A fleet at work: one job runs, one is paused, one is incomplete, one is done.
pub fn fleet() -> Overview {
    let mut paused = job(3, "options", "paused", [40, 0, 20, 0, 0]);
    paused.status.reason = Some("the job's limit would be passed: 9.90 of 10.00 are spent".into());
    let jobs = vec![
        job(4, "trades-2024", "running", [700, 3, 295, 2, 0]),
        paused,
        job(2, "definitions", "incomplete", [0, 0, 57, 1, 2]),
        job(1, "demo", "done", [0, 0, 3, 1, 0]),
    ];
    Overview {
        at: at(),
        totals: Totals::of(&jobs),
        jobs,
        runs_by_worker: ["host-a", "host-b", "host-x"]
            .map(|who| (who.to_owned(), 1))
            .into(),
        is_left_alone: false,
        workers: Some(["host-a", "host-b", "host-c"].map(heard).into()),
        running: vec![
            run(31, "host-a", Some(("fetch", 120_000)), 12),
            run(32, "host-b", Some(("load", 2_480_000)), 75),
            run(33, "host-x", None, 400),
        ],
        failures: vec![
            failure(
                21,
                ChunkState::Dead,
                "the vendor answers 422: symbol ES.c.9 can't be resolved",
            ),
            failure(
                22,
                ChunkState::Pending,
                "the connection broke after 1,048,576 bytes",
            ),
        ],
        throughput: (0..60_u32).map(minute).collect(),
        money: Money {
            month: common::time::Month::of(at()),
            spent: MonthsSpend {
                reserved: usd("1.25"),
                settled: usd("82.5"),
                saved: usd("12"),
            },
            budget: Some(usd("100")),
            limited: vec![JobSpending {
                job: JobId(3),
                name: "options".into(),
                committed: usd("9.9"),
                limit: usd("10"),
            }],
        },
    }
}

/// Nothing was submitted yet.
pub fn nothing() -> Overview {
    Overview {
        jobs: Vec::new(),
        totals: Totals::default(),
        runs_by_worker: std::collections::BTreeMap::new(),
        workers: None,
        running: Vec::new(),
        failures: Vec::new(),
        throughput: (0..60_u32)
            .map(|minute| SettledMinute {
                minute: i64::from(minute),
                ..SettledMinute::default()
            })
            .collect(),
        money: Money {
            budget: None,
            limited: Vec::new(),
            spent: MonthsSpend {
                reserved: Usd(0),
                settled: Usd(0),
                saved: Usd(0),
            },
            ..fleet().money
        },
        ..fleet()
    }
}

/// A fleet whose texts try to take the terminal over.
pub fn hostile() -> Overview {
    let mut overview = fleet();
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gnp.exe\u{9b}31m\r\nline two";
    overview.jobs[1].status.reason = Some(hostile.into());
    overview.jobs[0].status.name = format!("a{hostile}");
    overview.running[0].working.worker = hostile.into();
    overview.running[0].seen.as_mut().unwrap().stage = "\u{1b}[31mload".into();
    overview.failures[0].error = hostile.into();
    overview.failures[0].part.symbols = hostile.into();
    overview.money.limited[0].name = hostile.into();
    overview
}

fn job(id: i64, name: &str, state: &'static str, chunks: [u64; 5]) -> JobProgress {
    let [pending, running, done, empty, dead] = chunks;
    JobProgress {
        status: JobStatus {
            id: JobId(id),
            name: name.into(),
            created_at: ago(7_200),
            state,
            reason: None,
            complete: state == "done",
            chunks: ChunkCounts {
                total: chunks.iter().sum(),
                pending,
                running,
                done,
                empty,
                dead,
                cancelled: 0,
            },
            records: RecordCounts {
                expected: 2_500_000_000,
                fetched: 740_000_000,
                loaded: 739_999_000,
                quarantined: 1_000,
                covered: 0,
            },
            bytes_received: 35_520_000_000,
            spent_usd: Usd(id * 9_900_000_000),
        },
        records_per_second: (state == "running").then_some(184_220),
        seconds_left: (state == "running").then_some(9_553),
        limit: None,
    }
}

fn heard(worker: &str) -> Heard {
    Heard {
        worker: worker.into(),
        at: ago(1),
    }
}

fn part(chunk: i64) -> Part {
    let first = at().day();
    let days = DayRange::new(first, first.plus(1));
    Part {
        chunk: ChunkId(chunk),
        job: JobId(4),
        job_name: "trades-2024".into(),
        schema: "trades".into(),
        symbols: "ES.c.0, NQ.c.0".into(),
        days: days.unwrap(),
    }
}

fn run(chunk: i64, worker: &str, seen: Option<(&str, u64)>, seconds: i64) -> Run {
    Run {
        working: Working {
            part: part(chunk),
            worker: worker.into(),
            epoch: 1,
            since: ago(seconds),
            lease_until: ago(seconds - 300),
            expected: 2_500_000,
        },
        seen: seen.map(|(stage, records)| Seen {
            worker: worker.into(),
            attempt: 1,
            stage: stage.into(),
            records,
        }),
    }
}

fn failure(chunk: i64, state: ChunkState, error: &str) -> Failure {
    Failure {
        part: part(chunk),
        state,
        failures: 5,
        error: error.into(),
        at: ago(95),
        due_at: ago(-42),
    }
}

fn minute(minute: u32) -> SettledMinute {
    let rows = u64::from(minute) * u64::from(minute % 7 + 1) * 30_000;
    SettledMinute {
        minute: i64::from(minute),
        chunks: 4,
        rows,
        bytes: rows * 48,
    }
}
