//! An installation for a test: a private database and archive, a simulated vendor, and the pool in
//! this process.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::archive::Archive;
use common::chunk::{ChunkId, JobId};
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::configuration::settings::Settings;
use common::queue::{EmbeddedQueue, Hint};
use common::request::SCHEMAS;
use common::request::{Chunking, JobSource, Request, Symbols};
use common::source::{SourceError, Sources};
use common::store::{Access, Claim, PlannedChunk, Store};
use common::time::{Day, DayRange, Nanos};
use common::vendor::{RangeRequest, Vendor, VendorError};
use dbn::{SType, Schema};
use fail::FailScenario;
use simulator::{Config, RequestLog, Simulator};
use testkit::checksum::TableSum;
use testkit::database::Database;
use testkit::engine::Engine;
use testkit::sandbox::Sandbox;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use worker::environment::{Environment, Event, Outcome};
use worker::replay::ReplayEnvironment;

pub const DATASET: &str = "GLBX.MDP3";

/// A private installation, its vendor, and what its pool told.
pub struct Installation {
    pub sandbox: Sandbox,
    pub database: Database,
    pub simulator: Simulator,
    pub environment: Environment,
    events: mpsc::Receiver<Event>,
    /// Failpoints belong to the whole process: whoever runs the pipeline holds them.
    _failpoints: FailScenario<'static>,
}

/// A part of a job: one schema, some symbols, some days.
pub struct Piece {
    pub schema: Schema,
    pub symbols: Symbols,
    pub days: DayRange,
}

/// The project's mapping of a schema, with its file's text changed.
pub fn changed_mapping(schema: Schema, change: impl FnOnce(String) -> String) -> Mapping {
    let documents = ConfigFiles::CompiledIn.read_all("schemas").unwrap();
    let file = format!("configs/schemas/{schema}.yaml");
    let found = documents
        .into_iter()
        .find(|document| document.origin.ends_with(&file));
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    sandbox.write("schemas/own.yaml", &change(found.unwrap().text));
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    Mapping::load(&files, schema).unwrap_or_else(|refusal| panic!("{refusal}"))
}

pub fn day(month: u32, day: u32) -> Day {
    Day::from_ymd(2024, month, day).unwrap()
}

/// January days, the last one exclusive.
pub fn january(first: u32, end: u32) -> DayRange {
    DayRange::new(day(1, first), day(1, end)).unwrap()
}

pub fn piece(schema: Schema, symbols: &[&str], days: DayRange) -> Piece {
    let names = symbols.iter().map(|symbol| (*symbol).to_owned());
    let symbols = match symbols {
        [] => Symbols::ALL,
        _ => Symbols::named(names.collect()),
    };
    Piece {
        schema,
        symbols,
        days,
    }
}

pub fn request(name: &str, stype_in: SType, days: DayRange) -> Request {
    Request {
        name: name.to_owned(),
        dataset: DATASET.to_owned(),
        schemas: vec![Schema::Trades],
        symbols: Symbols::ALL,
        stype_in,
        days,
        chunking: Chunking::default(),
        priority: 0,
        max_cost: None,
        quality: common::quality::Quality::default(),
        source: JobSource::Vendor,
    }
}

impl Installation {
    /// With synthetic history of few trades.
    pub async fn synthetic(engine: &Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    /// With synthetic history of few trades, and settings of one's own.
    pub async fn with(engine: &Engine, change: impl FnOnce(&mut Settings)) -> Self {
        let history = Config {
            trades_per_day: 200,
            strikes: 1,
            ..Config::default()
        };
        Self::of_history(engine, history, change).await
    }

    /// With a history and settings of one's own.
    pub async fn of_history(
        engine: &Engine,
        history: Config,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let failpoints = FailScenario::setup();
        let simulator = Simulator::start(history);
        let simulator = simulator.await.unwrap();
        let sandbox = Sandbox::new();
        let database = engine.database(&sandbox).await;
        let mut settings = sandbox.settings(&simulator.url());
        settings.database_url = database.url();
        change(&mut settings);
        let (events_in, events) = mpsc::channel(1_024);
        let load = |schema| {
            (
                schema,
                Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap(),
            )
        };
        let store = Store::open(&settings.database_url, Access::Work).await;
        let environment = Environment {
            store: Arc::new(store.unwrap().unwrap()),
            archive: Archive::open(&settings.archive_url, "the simulator").unwrap(),
            sources: Sources::new(Some(Vendor::new(&settings).unwrap())),
            mappings: Arc::new(SCHEMAS.into_iter().map(load).collect()),
            events: events_in,
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            activities: Default::default(),
            worker: "the-worker".into(),
            settings: Arc::new(settings),
        };
        Self {
            sandbox,
            database,
            simulator,
            environment,
            events,
            _failpoints: failpoints,
        }
    }

    /// Submits a job of these pieces, each a chunk, with the vendor's counts.
    pub async fn submit(&self, name: &str, stype_in: SType, pieces: &[Piece]) -> JobId {
        let mut chunks = Vec::new();
        for piece in pieces {
            chunks.push(self.plan(stype_in, piece).await);
        }
        let days = pieces.first().unwrap().days;
        let request = request(name, stype_in, days);
        self.submit_planned(&request, &chunks).await
    }

    pub async fn submit_planned(&self, request: &Request, chunks: &[PlannedChunk]) -> JobId {
        let store = &self.environment.store;
        let submitted = store.submit(request, "the simulator", chunks, Nanos::now());
        submitted.await.unwrap().job
    }

    /// A piece as the planner would plan it.
    pub async fn plan(&self, stype_in: SType, piece: &Piece) -> PlannedChunk {
        let (schema, days) = (piece.schema, piece.days);
        let request = RangeRequest::new(DATASET, schema, stype_in, &piece.symbols, days);
        let vendor = self.environment.sources.of(&JobSource::Vendor).await;
        let vendor = vendor.unwrap();
        let planned = PlannedChunk {
            schema,
            symbols: piece.symbols.clone(),
            days,
            records: Some(0),
            billable_bytes: 0,
            cost: common::money::Usd(0),
            due_at: Nanos(0),
        };
        match vendor.record_count(&request).await {
            Err(SourceError::Vendor(VendorError::NoSession { .. })) => planned,
            count => PlannedChunk {
                records: Some(count.unwrap()),
                billable_bytes: vendor.billable_bytes(&request).await.unwrap(),
                cost: vendor.cost(&request).await.unwrap(),
                ..planned
            },
        }
    }

    /// Works a job off until nothing of it is due or will soon be; what the pool told meanwhile.
    pub async fn work_off(&mut self, job: JobId) -> Vec<Event> {
        let (mut queue, hints) = EmbeddedQueue::new(256);
        let in_queue = Arc::new(Mutex::new(HashSet::<ChunkId>::new()));
        let changed = Arc::new(Notify::new());
        let dealt = {
            let (in_queue, changed) = (Arc::clone(&in_queue), Arc::clone(&changed));
            Arc::new(move |chunk| {
                in_queue.lock().unwrap().remove(&chunk);
                changed.notify_one();
            })
        };
        let ended = CancellationToken::new();
        let pool = worker::pool::run(self.environment.clone(), hints, dealt, ended.clone());
        let store = Arc::clone(&self.environment.store);
        let stop = self.environment.stop.clone();
        let mut told = Vec::new();
        let events = &mut self.events;
        let admit = async {
            loop {
                while let Ok(event) = events.try_recv() {
                    told.push(event);
                }
                let idle = in_queue.lock().unwrap().is_empty();
                let due = match stop.is_cancelled() {
                    true => Vec::new(),
                    false => store.due(job, 256, Nanos::now()).await.unwrap(),
                };
                let soon = Nanos::now().plus_seconds(60.0);
                let retry = store.next_retry(job).await.unwrap();
                let retry = retry.filter(|at| *at < soon && !stop.is_cancelled());
                if idle && due.is_empty() && retry.is_none() {
                    break;
                }
                for chunk in due {
                    if in_queue.lock().unwrap().insert(chunk) {
                        assert!(queue.push(Hint {
                            chunk,
                            generation: 0,
                        }));
                    }
                }
                let wait = retry.map(|at| at.seconds_since(Nanos::now()));
                let wait = wait.filter(|seconds| idle || *seconds > 0.0);
                tokio::select! {
                    () = changed.notified() => {}
                    () = sleep(wait.unwrap_or(3_600.0)) => {}
                }
            }
            ended.cancel();
        };
        let (worked, ()) = tokio::join!(pool, admit);
        worked.unwrap();
        while let Ok(event) = self.events.try_recv() {
            told.push(event);
        }
        told
    }

    /// Lets the pool deal with what is due of a job, once each.
    pub async fn work_once(environment: Environment, job: JobId) {
        let (mut queue, hints) = EmbeddedQueue::new(256);
        let store = &environment.store;
        let mut due = store.due(job, 256, Nanos::now()).await.unwrap();
        while due.is_empty() {
            // Put off for a moment: the time is what is waited for.
            sleep(0.0).await;
            due = store.due(job, 256, Nanos::now()).await.unwrap();
        }
        for chunk in &due {
            assert!(queue.push(Hint {
                chunk: *chunk,
                generation: 0,
            }));
        }
        let ended = CancellationToken::new();
        let left = AtomicUsize::new(due.len());
        let dealt = {
            let ended = ended.clone();
            Arc::new(move |_| {
                if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                    ended.cancel();
                }
            })
        };
        worker::pool::run(environment, hints, dealt, ended)
            .await
            .unwrap();
    }

    /// Works with another text of one schema's mapping file from now on.
    pub fn use_mapping(&mut self, schema: Schema, change: impl FnOnce(String) -> String) {
        let mut mappings = (*self.environment.mappings).clone();
        mappings.insert(schema, changed_mapping(schema, change));
        self.environment.mappings = Arc::new(mappings);
    }

    /// What a replay may touch.
    pub fn replay_environment(&self) -> ReplayEnvironment {
        ReplayEnvironment {
            store: Arc::clone(&self.environment.store),
            archive: self.environment.archive.clone(),
            mappings: (*self.environment.mappings).clone(),
            limit: self.environment.settings.max_quarantine_percent,
        }
    }

    /// Claims a job's first chunk that is due.
    pub async fn claim(&self, job: JobId) -> Claim {
        let (store, now) = (&self.environment.store, Nanos::now());
        let due = store.due(job, 1, now).await.unwrap();
        let lease = std::time::Duration::from_secs(900);
        let claim = store.claim(due[0], "the-worker", lease, now).await.unwrap();
        claim.unwrap()
    }

    /// The market tables, with coverage and symbology.
    pub async fn tables(&self) -> BTreeMap<String, TableSum> {
        self.database.tables().await
    }

    /// One number of the database.
    pub async fn number(&self, sql: &str) -> i64 {
        self.database.scalar(sql).await
    }

    /// One text of the database.
    pub async fn text(&self, sql: &str) -> String {
        self.database.scalar(sql).await
    }

    /// Changes the database behind the store's back.
    pub async fn execute(&self, sql: &'static str) {
        self.database.execute(sql).await;
    }

    /// Chunks that are in this state.
    pub async fn chunks(&self, state: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM chunks WHERE state = '{state}'");
        self.number(&sql).await
    }

    /// Requests for data so far.
    pub fn data_requests(&self) -> Vec<RequestLog> {
        let requests = self.simulator.requests().into_iter();
        requests
            .filter(|request| request.path.ends_with("timeseries.get_range"))
            .collect()
    }

    /// Files that a receipt which was let go left behind.
    pub fn parts(&self) -> usize {
        let folder = self.sandbox.path().join("archive/parts");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

/// Until a retry is due: the time is what is waited for.
async fn sleep(seconds: f64) {
    tokio::time::sleep(std::time::Duration::from_secs_f64(seconds.max(0.001))).await;
}

/// The outcomes among events.
pub fn outcomes(events: &[Event]) -> Vec<&Outcome> {
    let outcomes = events.iter().filter_map(|event| match event {
        Event::Settled { outcome, .. } => Some(outcome),
        Event::Started { .. } | Event::Paused { .. } | Event::Failed { .. } => None,
    });
    outcomes.collect()
}
