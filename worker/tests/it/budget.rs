//! A budget under a whole fleet: what the vendor bills never passes it, and nothing is lost.

use std::collections::BTreeMap;

use common::chunk::JobId;
use common::money::Usd;
use common::store::{Moment, PlannedChunk};
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::checksum::TableSum;
use testkit::database::Database;
use testkit::engine::Engine;
use tokio::process::Child;

use crate::fleet::{FOREVER, Fleet};
use crate::installation::{Installation, Piece, january, piece, request};

/// Processes, and chunks that each works on at once.
const PROCESSES: usize = 5;
const SLOTS: usize = 10;

/// What the simulated vendor asks for a byte, in billionths of a dollar: as many as dollars for 10^9.
const PRICES: [(Schema, i64); 2] = [(Schema::Trades, 28), (Schema::Mbp1, 4)];

fn pieces() -> Vec<Piece> {
    let mut pieces = Vec::new();
    for day in 2..12 {
        for (schema, _) in PRICES {
            for symbol in ["ES.c.0", "CL.c.0", "NQ.c.0"] {
                pieces.push(piece(schema, &[symbol], january(day, day + 1)));
            }
        }
    }
    pieces
}

/// What the vendor has billed by its own log of requests.
fn billed(fleet: &Fleet) -> Usd {
    let requests = fleet.simulator.requests().into_iter();
    let prices = requests.filter(|request| request.bytes > 0).map(|request| {
        let schema = &request.params["schema"];
        let (_, price) = PRICES.iter().find(|(of, _)| of.as_str() == schema).unwrap();
        Usd(i64::try_from(request.bytes).unwrap() * price)
    });
    prices.sum()
}

fn cost(planned: &[PlannedChunk]) -> Usd {
    for chunk in planned {
        let (_, price) = PRICES.iter().find(|(of, _)| *of == chunk.schema).unwrap();
        let bytes = i64::try_from(chunk.billable_bytes).unwrap();
        // A quote is a float, and rounded up.
        let above = chunk.cost.0 - bytes * price;
        assert!((0..=1).contains(&above), "{chunk:?}");
    }
    planned.iter().map(|chunk| chunk.cost).sum()
}

/// Fifty workers with a budget for the month.
fn spawn(fleet: &Fleet, budget: Usd) -> Vec<Child> {
    let worker = || {
        let mut command = fleet.worker();
        command
            .env("BACKHAUL_WORKERS", SLOTS.to_string())
            .env("BACKHAUL_BUDGET_USD", budget.to_string())
            .env("BACKHAUL_ATTEMPTS_MAX", "100");
        command.spawn().unwrap()
    };
    (0..PROCESSES).map(|_| worker()).collect()
}

/// Streams that end early, and badly, at random. What was sent arrives: what is on its way when a
/// connection is reset may be billed, and nobody but the vendor knows of it.
fn cut_streams(fleet: &Fleet) {
    for kind in [
        FaultKind::ShortLength,
        FaultKind::CutInFrame,
        FaultKind::CutAtFrame,
        FaultKind::CutInRecord,
        FaultKind::MetadataOnly,
    ] {
        let cut = Fault::probability(kind, 0.1);
        let cut = cut.on_path("timeseries.get_range");
        fleet.simulator.add_fault(cut);
    }
}

#[tokio::test]
async fn fifty_workers_at_once_never_pass_the_months_budget_and_go_on_with_a_higher_one() {
    let Some(fleet) = Fleet::start().await else {
        return;
    };
    cut_streams(&fleet);
    let planned = fleet.plan(SType::Continuous, &pieces()).await;
    let budget = Usd(cost(&planned).0 * 6 / 10);
    let mut workers = spawn(&fleet, budget);
    let request = request("job", SType::Continuous, january(2, 12));
    let job = fleet.submit_planned(&request, &planned).await;
    let largest = planned.iter().map(|chunk| chunk.cost).max().unwrap();
    // Streams that are cut leave room behind: goes on until no chunk fits any more.
    while work_until_paused(&fleet, job, budget).await + largest <= budget {
        assert!(fleet.store.resume(job).await.unwrap());
    }
    for worker in &mut workers {
        worker.start_kill().unwrap();
        tokio::time::timeout(FOREVER, worker.wait())
            .await
            .unwrap()
            .unwrap();
    }

    let _workers = spawn(&fleet, Usd(budget.0 * 100));
    assert!(fleet.store.resume(job).await.unwrap());
    fleet.wait_for(job, |job| job.complete).await;
    let found = Database::OnServer(fleet.postgres.url()).tables().await;
    assert_eq!(found, undisturbed(&planned).await);
}

/// Waits until the budget pauses the job, and sees that it isn't passed; what is committed then.
async fn work_until_paused(fleet: &Fleet, job: JobId, budget: Usd) -> Usd {
    let paused = fleet.wait_for(job, |job| {
        let billed = billed(fleet);
        assert!(billed <= budget, "{billed} of {budget}");
        job.state == "paused" && job.chunks.running == 0
    });
    let paused = paused.await;
    let reason = paused.reason.unwrap();
    let of_month = "would pass the installation's budget for 20";
    assert!(reason.contains(of_month), "{reason}");
    assert!(paused.chunks.pending > 0, "{:?}", paused.chunks);
    let (_, committed) = fleet.store.this_month(Moment::Now).await.unwrap();
    let billed = billed(fleet);
    println!("budget {budget}, in the ledger {committed}, billed {billed}");
    assert!(billed <= committed && committed <= budget);
    committed
}

/// The tables of an installation that works without a budget and without faults.
async fn undisturbed(planned: &[PlannedChunk]) -> BTreeMap<String, TableSum> {
    let engine = Engine::postgresql().unwrap();
    let mut installation = Installation::synthetic(&engine).await;
    let request = request("job", SType::Continuous, january(2, 12));
    let job = installation.submit_planned(&request, planned).await;
    installation.work_off(job).await;
    installation.tables().await
}
