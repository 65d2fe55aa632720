//! `page`: what `scheduler serve` answers over a million chunks, by the router that it answers with, on
//! each engine.

mod filled;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use common::store::{Access, Moment, Store};
use scheduler::overview::Observer;
use scheduler::serve::database::Database as Opened;
use scheduler::serve::guard::Guard;
use scheduler::serve::maps::Maps;
use scheduler::serve::router::{Site, router};
use scheduler::serve::watch::Watch;
use testkit::engine::Engine;
use testkit::http::Question;
use testkit::sandbox::Sandbox;
use tokio::sync::OnceCell;

use crate::outcome::Outcome;
use crate::samples::Samples;

const ROUNDS: usize = 50;
/// For answers that ask the database: one stands for a second.
const ROUNDS_ASKED: usize = 5;
const STANDS: Duration = Duration::from_millis(1_050);
const WHOLE_MAP: &str = "/api/coverage?rows=40&columns=140";
/// What is asked for, and what it is called here.
const PAGES: [(&str, &str); 3] = [
    ("overview", "/api/overview"),
    ("page", "/"),
    ("live", "/live"),
];
const MAPS: [(&str, &str); 3] = [
    ("map", WHOLE_MAP),
    (
        "map_of_a_symbol",
        "/api/coverage?symbol=S00007&start=2010-03-04&end=2010-03-05",
    ),
    ("day", "/api/coverage/day?symbol=S00007&day=2010-03-04"),
];

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let about =
        "Answers of `scheduler serve` over 1,000,000 chunks, half of them settled within the hour.";
    let mut outcome = Outcome::new(about, ROUNDS);
    let engines = [
        ("sqlite", Some(Engine::Sqlite)),
        ("postgresql", Engine::postgresql()),
    ];
    for (name, engine) in engines {
        if let Some(engine) = engine {
            runtime.block_on(measure(&mut outcome, name, &engine))?;
        }
    }
    outcome.note(format!("`asked`: {ROUNDS_ASKED} answers for which the database is asked; an answer stands for a second"));
    Ok(Some(outcome))
}

async fn measure(outcome: &mut Outcome, engine: &str, on: &Engine) -> anyhow::Result<()> {
    let sandbox = Sandbox::new();
    let database = on.database(&sandbox).await;
    Store::migrate(&database.url()).await?;
    filled::fill(&database).await;
    let store = Store::open(&database.url(), Access::Read).await?;
    let store = Arc::new(store.context("a database that was just made")?);
    let mut observer = Observer::new(None, None, None);
    for what in ["first_look", "later_look"] {
        let began = Instant::now();
        observer.look(&store).await?;
        outcome.once(format!("{engine}_{what}_ms"), "ms", millis(began.elapsed()));
    }
    let began = Instant::now();
    store.figures(Moment::Now).await?;
    outcome.once(
        format!("{engine}_figures_ms"),
        "ms",
        millis(began.elapsed()),
    );
    answers(outcome, engine, &store).await?;
    store.close().await;
    Ok(())
}

async fn answers(outcome: &mut Outcome, engine: &str, store: &Arc<Store>) -> anyhow::Result<()> {
    let database: Opened = Arc::new(OnceCell::new_with(Some(Arc::clone(store))));
    let site = Site {
        watch: Arc::new(Watch::new(Arc::clone(&database), None, None)),
        maps: Arc::new(Maps::new(database)),
        is_fleet: false,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let guard = Guard::new(None, address).context("this machine alone")?;
    let router = router(site, Arc::new(guard), Router::new());
    let answering = tokio::spawn(worker::monitor::answer(listener, router));
    for (name, path) in PAGES {
        let mut asked = Vec::new();
        for _ in 0..ROUNDS_ASKED {
            tokio::time::sleep(STANDS).await;
            asked.push(ask(address, path).await?);
        }
        outcome.figure(
            format!("{engine}_{name}_asked_ms"),
            "ms",
            Samples::new(asked),
        );
    }
    gathered(address).await?;
    for (name, path) in PAGES.into_iter().chain(MAPS) {
        ask(address, path).await?;
        let mut all = Vec::new();
        for _ in 0..ROUNDS {
            all.push(ask(address, path).await?);
        }
        outcome.figure(format!("{engine}_{name}_ms"), "ms", Samples::new(all));
    }
    answering.abort();
    Ok(())
}

/// Waits until the map is there.
async fn gathered(address: SocketAddr) -> anyhow::Result<()> {
    loop {
        let answer = Question::new("GET", WHOLE_MAP).ask(address).await;
        if answer.context("an answer")?.status == 200 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long an answer takes, in milliseconds.
async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    let answer = Question::new("GET", path).ask(address).await;
    let answer = answer.context("an answer")?;
    ensure!(answer.status == 200, "{path}: {}", answer.body);
    Ok(millis(began.elapsed()))
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
