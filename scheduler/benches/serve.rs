//! The page and `/api` over a million chunks, on each engine that is here: how long each answer takes, by
//! the router that `serve` answers with, and which plan the engine has for each question.
//! `cargo bench -p scheduler --bench serve`; `-- N` makes N chunks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use common::store::{Access, Moment, Store};
use scheduler::overview::Observer;
use scheduler::serve::database::Database as Opened;
use scheduler::serve::guard::Guard;
use scheduler::serve::maps::Maps;
use scheduler::serve::router::{Site, router};
use scheduler::serve::watch::Watch;
use testkit::database::Database;
use testkit::engine::Engine;
use testkit::http::Question;
use testkit::sandbox::Sandbox;
use tokio::sync::OnceCell;

const CHUNKS: u64 = 1_000_000;
/// Each day of so many symbols is a chunk.
const SYMBOLS: u64 = 500;
/// Of so many answers the median and the slowest are told.
const TIMES: usize = 50;
/// An answer of the page stands for a second.
const STANDS: Duration = Duration::from_millis(1_050);

fn main() {
    let arguments = std::env::args().skip(1);
    let wanted = arguments
        .filter_map(|argument| argument.parse().ok())
        .next();
    let chunks = wanted.unwrap_or(CHUNKS);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let engines = [
        ("SQLite", Some(Engine::Sqlite)),
        ("PostgreSQL", Engine::postgresql()),
    ];
    for (name, engine) in engines {
        if let Some(engine) = engine {
            runtime.block_on(measure(name, &engine, chunks));
        }
    }
}

async fn measure(engine: &str, on: &Engine, chunks: u64) {
    let sandbox = Sandbox::new();
    let database = on.database(&sandbox).await;
    Store::migrate(&database.url())
        .await
        .expect("tables can be made");
    let began = Instant::now();
    fill(&database, chunks).await;
    println!(
        "{engine}: {chunks} chunks made in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    explain(&database).await;
    let store = Store::open(&database.url(), Access::Read).await;
    let store = Arc::new(store.expect("it can be opened").expect("it is there"));
    look(engine, &store).await;
    answers(engine, &store).await;
    store.close().await;
}

/// What each part of a look takes, the first and later ones.
async fn look(engine: &str, store: &Store) {
    let mut observer = Observer::new(None, None, None);
    for what in ["first look", "later look"] {
        let began = Instant::now();
        observer.look(store).await.expect("it can be looked at");
        println!("{engine}: {what:<28} {:>9.2?}", began.elapsed());
    }
    let began = Instant::now();
    store.figures(Moment::Now).await.expect("there are figures");
    println!(
        "{engine}: {:<28} {:>9.2?}",
        "figures of /metrics",
        began.elapsed()
    );
}

async fn answers(engine: &str, store: &Arc<Store>) {
    let database: Opened = Arc::new(OnceCell::new_with(Some(Arc::clone(store))));
    let site = Site {
        watch: Arc::new(Watch::new(Arc::clone(&database), None, None)),
        maps: Arc::new(Maps::new(database)),
        is_fleet: false,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let guard = Guard::new(None, address).expect("this machine alone");
    let router = router(site, Arc::new(guard), Router::new());
    let answering = tokio::spawn(worker::monitor::answer(listener, router));
    for path in ["/api/overview", "/", "/live"] {
        cold(engine, address, path).await;
    }
    for path in ["/", "/live", "/api/overview"] {
        warm(engine, address, path).await;
    }
    let began = Instant::now();
    let whole = "/api/coverage?rows=40&columns=140";
    let mut longest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let answer = Question::new("GET", whole)
            .ask(address)
            .await
            .expect("an answer");
        longest = longest.max(asked.elapsed());
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "{engine}: the map is gathered after {:.2?}; until then answers took {longest:.2?} at most",
        began.elapsed()
    );
    for path in [
        whole,
        "/api/coverage?symbol=S00007&start=2010-03-04&end=2010-03-05",
    ] {
        warm(engine, address, path).await;
    }
    warm(
        engine,
        address,
        "/api/coverage/day?symbol=S00007&day=2010-03-04",
    )
    .await;
    answering.abort();
}

/// An answer for which the database is asked.
async fn cold(engine: &str, address: SocketAddr, path: &str) {
    let mut all = Vec::new();
    for _ in 0..5 {
        tokio::time::sleep(STANDS).await;
        all.push(ask(address, path).await);
    }
    tell(engine, &format!("{path} (asks)"), all);
}

async fn warm(engine: &str, address: SocketAddr, path: &str) {
    ask(address, path).await;
    let mut all = Vec::new();
    for _ in 0..TIMES {
        all.push(ask(address, path).await);
    }
    tell(engine, path, all);
}

async fn ask(address: SocketAddr, path: &str) -> (Duration, usize) {
    let began = Instant::now();
    let answer = Question::new("GET", path)
        .ask(address)
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    (began.elapsed(), answer.body.len())
}

fn tell(engine: &str, what: &str, mut all: Vec<(Duration, usize)>) {
    all.sort_unstable();
    let (median, bytes) = all[all.len() / 2];
    let (slowest, _) = all[all.len() - 1];
    println!("{engine}: {what:<60} median {median:>9.2?}, slowest {slowest:>9.2?}, {bytes} bytes");
}

/// Half of the chunks were settled within the last hour, evenly; a tenth of the rest failed, and some run.
async fn fill(database: &Database, chunks: u64) {
    let days = chunks / SYMBOLS;
    let (numbers, as_json, now) = match database {
        Database::File(_) => (
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {chunks} - 1)"
            ),
            "json_array(printf('S%05d', i))",
            "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000000)",
        ),
        Database::OnServer(_) => (
            format!(
                "WITH n AS (SELECT i FROM generate_series(CAST(0 AS BIGINT), {chunks} - 1) AS i)"
            ),
            "'[\"S' || lpad(i::text, 5, '0') || '\"]'",
            "backhaul_now()",
        ),
    };
    let symbols = (0..SYMBOLS).map(|number| format!("\"S{number:05}\""));
    let symbols = symbols.collect::<Vec<_>>().join(",");
    let end = common::time::Day::from_ymd(2010, 1, 1)
        .expect("a day")
        .plus(i64::try_from(days).expect("days"));
    database
        .execute_all(&format!(
            "INSERT INTO jobs (id, name, fingerprint, spec, state, priority, max_cost_nanousd, created_at)
             VALUES (1, 'million', 'f', '{{\"dataset\":\"GLBX.MDP3\",\"end\":\"{end}\",\"name\":\"million\",
                 \"schemas\":[\"trades\"],\"start\":\"2010-01-01\",\"stype_in\":\"continuous\",
                 \"symbols\":[{symbols}]}}', 'active', 0, 1000000000000, {now});
             {numbers} INSERT INTO symbol_sets (id, symbols) SELECT i + 1, {as_json} FROM n WHERE i < {SYMBOLS};
             {numbers} INSERT INTO symbology (dataset, stype_in, symbol, instrument_id, start_date, end_date)
             SELECT 'GLBX.MDP3', 'continuous', {symbol}, i + 1, '2010-01-01', '{end}' FROM n WHERE i < {SYMBOLS};
             {numbers} INSERT INTO chunks (id, job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns,
                 priority, state, due_at, epoch, owner, lease_until, failures, error, expected_records,
                 billable_bytes, cost_nanousd, fetched_records, loaded_records, bytes_received, updated_at)
             SELECT i + 1, 1, 'GLBX.MDP3', 'trades', 'continuous', i % {SYMBOLS} + 1,
                 1262304000000000000 + (i / {SYMBOLS}) * 86400000000000,
                 1262304000000000000 + (i / {SYMBOLS} + 1) * 86400000000000,
                 0, CASE WHEN i % 2 = 0 THEN 'done' WHEN i % 20 = 1 THEN 'dead' WHEN i % 20000 = 3 THEN 'running'
                     ELSE 'pending' END,
                 {now} + (i % 7) * 1000000000, 1, 'w-' || (i % 9),
                 CASE WHEN i % 20000 = 3 THEN {now} + 30000000000 END,
                 CASE WHEN i % 20 = 1 THEN 10 WHEN i % 20 = 5 THEN 1 ELSE 0 END,
                 CASE WHEN i % 20 IN (1, 5) THEN 'the stream ended early: 17 of 1000 records' END,
                 1000, 48000, 1000, CASE WHEN i % 2 = 0 THEN 1000 ELSE 0 END,
                 CASE WHEN i % 2 = 0 THEN 1000 ELSE 0 END, CASE WHEN i % 2 = 0 THEN 48000 ELSE 0 END,
                 {now} - (i * 3600000000000 / {chunks})
             FROM n;
             INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id, days)
             SELECT dataset, schema, symbols_id, start_ns, end_ns, id, '+' FROM chunks WHERE state = 'done';
             ANALYZE;",
            symbol = match database {
                Database::File(_) => "printf('S%05d', i)",
                Database::OnServer(_) => "'S' || lpad(i::text, 5, '0')",
            },
        ))
        .await;
    if let Database::OnServer(_) = database {
        database.execute_all("VACUUM ANALYZE").await;
    }
}

/// Which indexes the questions of each second go by.
async fn explain(database: &Database) {
    let since =
        "(SELECT max(updated_at) - 120000000000 FROM chunks WHERE state IN ('done', 'empty'))";
    for (what, sql) in [
        ("settled", format!("SELECT updated_at / 60000000000, count(*), sum(loaded_records), sum(bytes_received) FROM chunks WHERE state IN ('done', 'empty') AND updated_at >= {since} GROUP BY 1")),
        ("failures", "SELECT c.id FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id WHERE (c.state = 'dead' OR (c.state = 'pending' AND c.failures > 0)) ORDER BY c.updated_at DESC LIMIT 100".to_owned()),
        ("working", "SELECT c.id FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id WHERE c.state = 'running' ORDER BY c.updated_at, c.id LIMIT 100".to_owned()),
        ("last success", "SELECT max(updated_at) FROM chunks WHERE state IN ('done', 'empty')".to_owned()),
    ] {
        let plan = match database {
            Database::File(_) => database.plan(&sql).await,
            Database::OnServer(_) => database.texts(&format!("EXPLAIN {sql}")).await,
        };
        let steps = plan.iter().filter(|step| step.contains("chunks"));
        for step in steps {
            println!("  {what}: {}", step.trim());
        }
    }
}
