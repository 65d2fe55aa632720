//! A rolling restart as Kubernetes makes it: one worker at a time, the next one ready before the one
//! before is told to stop, while there is always something to do. Twice: with a grace that is long enough
//! for what is at hand, and with one that isn't, so that it is handed back.

mod ledger;
mod shift;

use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};

use self::ledger::{Ledger, billed, streams};
use self::shift::Shift;
use crate::chaos::comparison::{compare, misfits};
use crate::chaos::work::Work;
use crate::fleet::Fleet;
use crate::installation::{Piece, piece};
use crate::waiting::wait_until;

/// Workers at any time, and chunks that each works on at once.
const WORKERS: usize = 3;
const SLOTS: usize = 3;
/// How late an answer of the vendor's begins: a chunk takes so long, whatever the machine.
const SECONDS: f64 = 0.7;
/// Seconds that a worker may take to stop: enough for what is at hand on any machine.
const GRACE: &str = "600";
/// Hardly any: of these the last five are for handing back.
const NO_GRACE: &str = "6";

/// A week of chunks that share nothing: a symbol, a schema, a day with a session.
fn week(monday: common::time::Day) -> Vec<(SType, Vec<Piece>)> {
    let mut pieces = Vec::new();
    for day in 0..5 {
        let days = common::time::DayRange::new(monday.plus(day), monday.plus(day + 1)).unwrap();
        for schema in [Schema::Trades, Schema::Mbp1] {
            for symbol in ["ES.c.0", "CL.c.0", "NQ.c.0"] {
                pieces.push(piece(schema, &[symbol], days));
            }
        }
    }
    vec![(SType::Continuous, pieces)]
}

/// From now on each answer with records begins so late.
fn be_late_by(fleet: &Fleet, seconds: f64) {
    fleet.simulator.clear_faults();
    let late = Fault::probability(FaultKind::Latency, 1.0).lasting(seconds);
    let late = late.on_path("timeseries.get_range");
    fleet.simulator.add_fault(late);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_workers_replaced_twice_under_load_lose_and_double_nothing() {
    let (Some(fleet), Some(undisturbed)) = (Fleet::start().await, Fleet::start().await) else {
        return;
    };
    let mut work = Work::of(week);
    work.submit_a_week(&fleet, &undisturbed).await;
    be_late_by(&fleet, SECONDS);
    let mut shift = Shift::begin(&fleet).await;

    // What is at hand is finished.
    for number in 0..WORKERS {
        let next = shift.start(&fleet, NO_GRACE).await;
        work.submit_a_week(&fleet, &undisturbed).await;
        shift.hand_over(number, next, &fleet).await;
    }
    assert!(shift.seen_draining > 0, "nobody was seen not to be ready");

    // What is at hand would never come to its end: all of it is handed back. There is more of it than slots.
    work.submit_a_week(&fleet, &undisturbed).await;
    be_late_by(&fleet, 3_600.0);
    shift.wait_until_nobody_gets_on(&fleet).await;
    be_late_by(&fleet, SECONDS);
    for number in 0..WORKERS {
        let next = shift.start(&fleet, GRACE).await;
        work.submit_a_week(&fleet, &undisturbed).await;
        shift.hand_over(number, next, &fleet).await;
    }

    // Meanwhile the other fleet does the same by itself.
    let planning = undisturbed.simulator.requests().len();
    let all_is_done = wait_until("all is done", async || {
        let jobs = fleet.store.jobs(None).await.unwrap();
        jobs.iter().all(|job| job.complete)
    });
    tokio::join!(all_is_done, work.do_all(&undisturbed));
    fleet.simulator.clear_faults();
    for (table, _, difference) in compare(&undisturbed, &fleet).await {
        assert!(difference.is_none(), "{table}: {difference:?}");
    }
    assert_eq!(misfits(&fleet).await, 0);

    // Each stream once, and those that were handed back once more: the first time brought nothing.
    let asked = fleet.simulator.requests();
    let alone = undisturbed.simulator.requests().split_off(planning);
    let handed_back = WORKERS * SLOTS;
    assert!(streams(&alone) >= 100, "{}", streams(&alone));
    assert_eq!(streams(&asked), streams(&alone) + handed_back);
    assert_eq!(billed(&asked), billed(&alone));
    let ledger = Ledger::of(&fleet);
    assert_eq!(ledger.bytes, billed(&asked));
    assert_eq!(ledger, Ledger::of(&undisturbed));
    let claims = fleet.postgres.psql(
        "SELECT epoch, failures, count(*) FROM chunks WHERE state IN ('done', 'empty')
         GROUP BY 1, 2 ORDER BY 1, 2",
    );
    let once = work.chunks() - handed_back;
    assert_eq!(claims, format!("1|0|{once}\n2|0|{handed_back}\n"));
    shift.end(&ledger).await;
    println!(
        "{} chunks, {} of them handed back",
        work.chunks(),
        handed_back
    );
}
