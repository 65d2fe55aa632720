//! The fire: faults at random, on a fleet that has always something to do.

use std::time::{Duration, Instant};

use common::chunk::ChunkId;
use common::queue::{Hint, NAMESPACE, RedisQueue};
use common::store::Moment;
use simulator::{Fault, FaultKind};
use testkit::proxy::Proxy;

use super::WORKERS;
use super::crew::{self, Crew, LEASE_SECONDS};
use super::faults::{Kind, Tally};
use super::random::Random;
use super::work::{Work, unfinished};
use crate::fleet::{FOREVER, Fleet};

/// The time that Redis keeps what it holds: the fleet's limiter lets nothing out for three seconds
/// after a wipe, and something has to be under way for the other faults to strike.
const BETWEEN_WIPES: Duration = Duration::from_secs(10);
/// The same where each kind strikes once.
const BETWEEN_TWO_WIPES: Duration = Duration::from_secs(5);
/// Times that a message is delivered again, each time as another one.
const REPETITIONS: i64 = 3;

/// A fleet under fire.
pub struct Fire {
    fleet: Fleet,
    crew: Crew,
    work: Work,
    random: Random,
    faults: Tally,
    /// Between the workers and their servers.
    to_postgres: Proxy,
    to_redis: Proxy,
    /// Chunks that were due or ran at some time.
    seen: Vec<ChunkId>,
    wiped: Instant,
    between_wipes: Duration,
}

/// What a fire leaves.
pub struct Burnt {
    pub fleet: Fleet,
    pub work: Work,
    pub faults: Tally,
    /// Workers that ended by themselves at their start, for want of a server.
    pub false_starts: u64,
}

impl Fire {
    /// Starts workers that reach their servers through proxies.
    pub async fn new(fleet: Fleet, random: Random, work: Work) -> Self {
        let to_postgres = Proxy::start(fleet.postgres.address());
        let to_redis = Proxy::start(fleet.redis.address());
        let database = to_postgres.url(&fleet.postgres.url());
        let redis = to_redis.url(&fleet.redis.url());
        let crew = Crew::of(WORKERS, &fleet, move |command| {
            crew::manners(command)
                .env("DATABASE_URL", &database)
                .env("REDIS_URL", &redis)
                .env("BACKHAUL_LEASE_SECONDS", LEASE_SECONDS.to_string());
        });
        Self {
            fleet,
            crew,
            work,
            random,
            faults: Tally::default(),
            to_postgres,
            to_redis,
            seen: Vec::new(),
            wiped: Instant::now(),
            between_wipes: BETWEEN_WIPES,
        }
    }

    /// Lets each kind of fault strike once, in a random order.
    pub async fn each_once(&mut self, planner: &Fleet) {
        self.between_wipes = BETWEEN_TWO_WIPES;
        let mut kinds = Kind::all();
        self.random.shuffle(&mut kinds);
        for kind in &kinds {
            self.go_on(planner).await;
            while !self.strike(*kind).await {
                self.go_on(planner).await;
            }
            self.pause(100, 400).await;
        }
        let deadline = Instant::now() + FOREVER;
        while self.is_something_due(&kinds) {
            let left = || (&self.faults, unfinished(&self.fleet), self.fleet.log());
            assert!(Instant::now() < deadline, "{:?}", left());
            self.go_on(planner).await;
            self.pause(50, 100).await;
        }
    }

    /// Lets faults strike at random for this long.
    pub async fn burn(&mut self, planner: &Fleet, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.go_on(planner).await;
            let kind = Kind::draw(&mut self.random);
            self.strike(kind).await;
            self.pause(20, 250).await;
        }
    }

    /// No more faults: waits until all that was asked for is there, and the workers have stopped.
    pub async fn end(&mut self) {
        if self.to_postgres.forget_cut() {
            self.faults.take_back(Kind::CopyCut);
        }
        self.fleet.simulator.clear_faults();
        self.crew.wake_all();
        self.work
            .wait_until_complete(&self.fleet, &mut self.crew)
            .await;
        let log = self.fleet.log();
        assert!(!log.contains("the worker ends"), "one gave up:\n{log}");
    }

    /// What is left of it, with the faults counted that struck the vendor's answers.
    pub fn burnt(self) -> Burnt {
        let mut faults = self.faults;
        let kinds = Kind::all();
        for request in self.fleet.simulator.requests() {
            let struck = |kind: &&Kind| is_of(**kind, request.fault.as_deref());
            if let Some(kind) = kinds.iter().find(struck) {
                faults.count(*kind);
            }
        }
        Burnt {
            fleet: self.fleet,
            work: self.work,
            faults,
            false_starts: self.crew.ended,
        }
    }

    async fn go_on(&mut self, planner: &Fleet) {
        self.crew.attend(&self.fleet).await;
        self.work.keep_coming(&self.fleet, planner).await;
    }

    /// Whether something that was ordered has not struck yet.
    fn is_something_due(&self, kinds: &[Kind]) -> bool {
        let requests = self.fleet.simulator.requests();
        let struck = |kind: &Kind| match kind {
            Kind::Vendor(_) => requests
                .iter()
                .any(|request| is_of(*kind, request.fault.as_deref())),
            _ => self.faults.of(*kind) > 0,
        };
        self.to_postgres.cut_is_due() || !kinds.iter().all(struck)
    }

    /// Lets a fault strike, or orders it; `false` where it makes no sense now.
    async fn strike(&mut self, kind: Kind) -> bool {
        let number = self.random.index(self.crew.len());
        match kind {
            Kind::WorkerKilled => self.crew.kill(number, &self.fleet).await,
            Kind::WorkerFrozen => {
                let lease = LEASE_SECONDS * 1_000;
                let time = self.random.milliseconds(lease + 200, 2 * lease);
                if !self.crew.freeze(number, time) {
                    return false;
                }
            }
            Kind::PostgresKilled => {
                self.fleet.postgres.kill();
                self.pause(1, 800).await;
                self.fleet.postgres.restart();
            }
            Kind::PostgresCut => self.to_postgres.cut_all(),
            Kind::CopyCut => {
                if self.to_postgres.cut_is_due() {
                    return false;
                }
                let bytes = 4_000 + self.random.below(40_000);
                self.to_postgres.cut_after_bytes(bytes);
            }
            Kind::RedisRestarted | Kind::RedisFlushed => return self.wipe(kind).await,
            Kind::RedisCut => self.to_redis.cut_all(),
            Kind::MessagesRepeated => self.repeat_messages().await,
            Kind::Vendor(kind) => {
                self.fleet.simulator.add_fault(vendors(kind));
                // Counted where it strikes.
                return true;
            }
        }
        self.faults.count(kind);
        true
    }

    async fn wipe(&mut self, kind: Kind) -> bool {
        if self.wiped.elapsed() < self.between_wipes {
            return false;
        }
        if kind == Kind::RedisFlushed {
            self.fleet.redis.flush_all();
        } else {
            self.fleet.redis.kill();
            self.pause(1, 800).await;
            self.fleet.redis.restart();
        }
        self.wiped = Instant::now();
        self.faults.count(kind);
        true
    }

    /// Delivers messages of chunks again that are due, run, or were dealt with long ago.
    async fn repeat_messages(&mut self) {
        let store = &self.fleet.store;
        let due = store.due_anywhere(10, Moment::Now).await.unwrap();
        let running = store.running().await.unwrap();
        self.seen.extend(due.iter().map(|due| due.chunk));
        self.seen.extend(running.iter().map(|of| of.chunk));
        let mut hints = Vec::new();
        let recent = self.seen.len().saturating_sub(due.len() + running.len());
        let mut chunks = self.seen[recent..].to_vec();
        if !self.seen.is_empty() {
            chunks.push(self.seen[self.random.index(self.seen.len())]);
        }
        for chunk in chunks {
            // A generation that nobody has used, so that it is another message.
            let first = 1_000_000 + i64::try_from(self.random.below(1 << 40)).unwrap();
            hints.extend((first..first + REPETITIONS).map(|generation| Hint { chunk, generation }));
        }
        let connection = common::redis::connect(&self.fleet.redis.url()).await;
        let queue = RedisQueue::new(connection.unwrap(), NAMESPACE);
        queue.push(&hints).await.unwrap();
    }

    /// What goes wrong keeps no time.
    async fn pause(&mut self, from: u64, to: u64) {
        tokio::time::sleep(self.random.milliseconds(from, to)).await;
    }
}

/// A fault of the vendor's, as a request for records will meet it.
fn vendors(kind: FaultKind) -> Fault {
    let fault = Fault::next(kind, 1).on_path("timeseries.get_range");
    match kind {
        FaultKind::RateLimit => fault.lasting(1.0),
        // Longer than a worker waits for a byte.
        FaultKind::Stall => fault.lasting(3_600.0),
        _ => fault,
    }
}

fn is_of(kind: Kind, fault: Option<&str>) -> bool {
    matches!(kind, Kind::Vendor(kind) if Some(kind.as_str()) == fault)
}
