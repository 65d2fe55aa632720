//! `plan`: a plan of a million chunks, its submission, and `scheduler status` at that size; by a source that
//! answers at once, so that it is the planner's own time.

mod ready;

use std::time::Instant;

use anyhow::{Context, ensure};
use common::configuration::document::Document;
use common::configuration::job_file::JobFile;
use common::store::{Access, Store};
use common::time::Nanos;
use scheduler::plan::plan;
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;

use self::ready::Ready;
use crate::fleet::POSTGRES;
use crate::outcome::{Bound, Outcome};
use crate::programs::{binary, run as run_to_end};
use crate::samples::Samples;

const ROUNDS: usize = 3;
const SYMBOLS: u32 = 2_000;
const CHUNKS: usize = 1_000_000;

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut outcome = Outcome::new("A plan of 1,000,000 chunks, and what follows.", ROUNDS);
    let mut engines = vec!["sqlite"];
    let server = Postgres::start_with(&POSTGRES);
    if server.is_some() {
        engines.push("postgresql");
    }
    for engine in engines {
        let mut sums: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let sandbox = Sandbox::new();
            let url = match (&server, engine) {
                (Some(server), "postgresql") => server.fresh_database(),
                _ => sandbox.settings("").database_url,
            };
            let measured = runtime.block_on(measure(&url))?;
            for (sum, seconds) in sums.iter_mut().zip(measured) {
                sum.push(seconds);
            }
        }
        let [plans, both, statuses] = sums.map(Samples::new);
        outcome.figure(format!("{engine}_plan_seconds"), "s", plans);
        outcome.figure(format!("{engine}_plan_and_submit_seconds"), "s", both);
        outcome.figure(format!("{engine}_status_seconds"), "s", statuses);
        outcome.target(
            format!("{engine}_plan_and_submit_seconds"),
            Bound::AtMost(60.0),
        );
        outcome.target(format!("{engine}_status_seconds"), Bound::AtMost(0.2));
    }
    Ok(Some(outcome))
}

/// Seconds of the plan, of plan and submission, and of a status.
async fn measure(url: &str) -> anyhow::Result<[f64; 3]> {
    let symbols: Vec<_> = (1..=SYMBOLS).map(|number| format!("S{number}")).collect();
    let text = format!(
        "{{name: million, dataset: GLBX.MDP3, schemas: [trades], symbols: [{}], \
         stype_in: raw_symbol, start: 2020-01-01, end: 2021-05-15, \
         chunking: {{days: 1, symbols: 1}}}}",
        symbols.join(", ")
    );
    let file = JobFile::parse(Document {
        origin: "million.yaml".to_owned(),
        text,
    })?;
    Store::migrate(url).await?;
    let store = Store::open(url, Access::Work).await?;
    let store = store.context("a database that was just made")?;
    let began = Instant::now();
    let planned = plan(&file, &Ready, Some(&store), Nanos::now()).await?;
    let plan = began.elapsed();
    ensure!(planned.chunks.len() == CHUNKS, "a million chunks");
    let submitted = store
        .submit(&file.request, "the vendor", &planned.chunks, Nanos::now())
        .await?;
    ensure!(submitted.added == 1_000_000, "every chunk is new");
    let both = began.elapsed();
    store.close().await;
    let mut command = binary("scheduler")?;
    let began = Instant::now();
    let told = run_to_end(command.env("DATABASE_URL", url).arg("status"))?;
    let status = began.elapsed();
    let told = String::from_utf8_lossy(&told.stdout);
    ensure!(told.contains("million"), "a status of all: {told}");
    Ok([plan, both, status].map(|took| took.as_secs_f64()))
}
