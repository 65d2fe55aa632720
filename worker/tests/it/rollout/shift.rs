//! The shift: workers that are ready, and how one takes over from another.

use std::time::Duration;

use testkit::processes::signal;
use testkit::scrape::{Scrape, get};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::ledger::Ledger;
use super::{GRACE, SECONDS, SLOTS, WORKERS};
use crate::fleet::{FOREVER, Fleet};
use crate::metrics::watched::Watched;
use crate::waiting::wait_until;

/// The workers.
pub struct Shift {
    /// In their places.
    at_work: Vec<Watched>,
    /// Workers that were started so far.
    started: usize,
    /// How often a worker that was told to stop was seen to say that it isn't ready.
    pub seen_draining: usize,
    /// What workers had told when they could last be asked.
    told: Ledger,
}

impl Shift {
    /// Starts as many as there are to be, and waits until they are ready.
    pub async fn begin(fleet: &Fleet) -> Self {
        let mut shift = Self {
            at_work: Vec::new(),
            started: 0,
            seen_draining: 0,
            told: Ledger::default(),
        };
        for _ in 0..WORKERS {
            let worker = shift.start(fleet, GRACE).await;
            shift.at_work.push(worker);
        }
        shift
    }

    /// A worker with a grace in seconds, once it is ready.
    pub async fn start(&mut self, fleet: &Fleet, grace: &str) -> Watched {
        let log = fleet
            .sandbox
            .path()
            .join(format!("worker-{}.log", self.started));
        self.started += 1;
        let mut command = fleet.worker();
        without_limits(&mut command).env("BACKHAUL_SHUTDOWN_GRACE_SECONDS", grace);
        let worker = Watched::spawn(command, &log).await;
        worker.wait_for("/readyz", 200, "ready").await;
        worker
    }

    /// Lets a worker that is ready take another's place, which is told to stop.
    pub async fn hand_over(&mut self, number: usize, next: Watched, fleet: &Fleet) {
        let mut old = std::mem::replace(&mut self.at_work[number], next);
        let id = old.process.id().unwrap();
        wait_until("it has something at hand", async || {
            !at_hand(fleet, id).await.is_empty()
        })
        .await;
        let pending = fleet
            .postgres
            .psql("SELECT count(*) FROM chunks WHERE state = 'pending'");
        assert_ne!(pending.trim(), "0", "the load lasts");
        for other in &self.at_work {
            assert_eq!(get(other.address, "/readyz").await.unwrap().0, 200);
        }
        let mut last = Ledger::told_by(&Scrape::of(old.address).await);
        signal("TERM", &[id]);
        let mut was_draining = false;
        while let Some((status, text)) = get(old.address, "/readyz").await {
            was_draining |= status == 503 && text.contains("draining");
            assert!(status == 503 || !was_draining, "ready again: {text}");
            if let Some((_, text)) = get(old.address, "/metrics").await {
                last = Ledger::told_by(&Scrape::read(text));
            }
        }
        let ended = timeout(FOREVER, old.process.wait()).await;
        assert_eq!(ended.unwrap().unwrap().code(), Some(0));
        assert!(
            at_hand(fleet, id).await.is_empty(),
            "nothing is left with it"
        );
        self.seen_draining += usize::from(was_draining);
        self.told = self.told.plus(last);
    }

    /// Waits until each slot of all workers waits for an answer that won't come.
    pub async fn wait_until_nobody_gets_on(&self, fleet: &Fleet) {
        let open = || {
            let requests = fleet.simulator.requests().into_iter().enumerate();
            let open = requests.filter(|(_, of)| of.status == 0);
            open.map(|(number, _)| number).collect::<Vec<_>>()
        };
        wait_until("every slot waits for the vendor", async || {
            let before = open();
            if before.len() != WORKERS * SLOTS {
                return false;
            }
            // Longer than an answer takes that comes.
            sleep(Duration::from_secs_f64(2.0 * SECONDS)).await;
            before == open()
        })
        .await;
    }

    /// All are told to stop, now that nothing is left to do, and what all told is what the tables hold.
    pub async fn end(mut self, tables: &Ledger) {
        let mut told = self.told;
        for worker in &self.at_work {
            told = told.plus(Ledger::told_by(&Scrape::of(worker.address).await));
        }
        println!("told {told:?}, in the tables {tables:?}");
        // Nobody told of anything twice. That nothing is left untold this can't show: what a worker of the
        // first turn finished after it could last be asked is known to nobody. That it is at most what it
        // had at hand then, and took up since, is a bound, which a worker that doesn't count breaks; that
        // all is counted, to the row, is shown where workers stay (`metrics.rs`).
        let untold = tables.chunks.checked_sub(told.chunks).unwrap();
        let untold_max = u64::try_from(WORKERS * SLOTS * 2).unwrap();
        assert!(untold <= untold_max, "{untold}");
        assert!(told.rows <= tables.rows && told.bytes <= tables.bytes);
        assert!(told.settled <= tables.settled);
        if untold == 0 {
            assert_eq!(told, *tables);
        }
        for worker in &mut self.at_work {
            signal("TERM", &[worker.process.id().unwrap()]);
            let ended = timeout(FOREVER, worker.process.wait()).await;
            assert_eq!(ended.unwrap().unwrap().code(), Some(0));
        }
    }
}

/// What all workers here have in common: slots, and no limit of the vendor's.
fn without_limits(command: &mut Command) -> &mut Command {
    command
        .env("BACKHAUL_WORKERS", SLOTS.to_string())
        .env("BACKHAUL_READ_TIMEOUT_SECONDS", "3600")
        .env("BACKHAUL_METADATA_REQUESTS_PER_SECOND", "1000")
        .env("BACKHAUL_DATA_REQUESTS_PER_SECOND", "1000")
        .env("BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND", "1000")
}

/// The chunks that a process has claimed: its number is in the name that it claims by.
async fn at_hand(fleet: &Fleet, process: u32) -> Vec<common::chunk::ChunkId> {
    let running = fleet.store.running().await.unwrap().into_iter();
    let name = format!("-{process}-");
    let of_it = running.filter(|of| of.owner.contains(&name));
    of_it.map(|of| of.chunk).collect()
}
