//! A plan of a million chunks, by a source that answers at once: what the planner itself takes. A real
//! vendor is asked once for each chunk, at its own pace. `cargo bench -p scheduler --bench plan`.

use std::time::Instant;

use common::configuration::document::Document;
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::source::{Answer, Pieces, Source, SourceError, Uncovered};
use common::store::{Access, Store};
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::{DayCondition, RangeRequest, Resolution, SymbolWindow, VendorError};
use dbn::{SType, Schema};
use scheduler::plan::plan;
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;

const SYMBOLS: u32 = 2_000;
const CHUNKS: usize = 1_000_000;

/// Knows every symbol, and counts a thousand records a day.
#[derive(Debug)]
struct Ready;

impl Source for Ready {
    fn datasets(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(vec!["GLBX.MDP3".to_owned()]) })
    }

    fn schemas<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<Schema>> {
        Box::pin(async { Ok(vec![Schema::Trades]) })
    }

    fn available<'a>(&'a self, _: &'a str, _: Schema) -> Answer<'a, Span> {
        let end = Day::from_ymd(2030, 1, 1).expect("a day").start();
        let start = Nanos(0);
        Box::pin(async move { Ok(Span { start, end }) })
    }

    fn conditions<'a>(&'a self, _: &'a str, _: DayRange) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn uncovered<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn caveat(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Resolution> {
        let window = |instrument_id| {
            vec![SymbolWindow {
                instrument_id,
                days,
            }]
        };
        let windows = symbols.iter().cloned().zip((1..).map(window)).collect();
        Box::pin(async move { Ok(Resolution { windows }) })
    }

    fn record_count<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async { Ok(1_000) })
    }

    fn billable_bytes<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async { Ok(48_000) })
    }

    fn cost<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Usd> {
        Box::pin(async { Ok(Usd(1_000)) })
    }

    fn get_range<'a>(&'a self, _: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>> {
        let none = VendorError::Unreadable("a plan asks for no records".to_owned());
        Box::pin(async { Err(none.into()) })
    }

    fn origin(&self, _: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    runtime.block_on(measure("SQLite", &url));
    if let Some(server) = Postgres::start() {
        runtime.block_on(measure("PostgreSQL", &server.url()));
    }
}

async fn measure(engine: &str, url: &str) {
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
    });
    let file = file.expect("a job file");
    Store::migrate(url).await.expect("tables can be made");
    let store = Store::open(url, Access::Work).await;
    let store = store.expect("it can be opened").expect("it is there");
    let began = Instant::now();
    let planned = plan(&file, &Ready, Some(&store), Nanos::now()).await;
    let planned = planned.expect("a plan");
    println!(
        "{engine:<10} plan   {:>9.3} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(planned.chunks.len(), CHUNKS);
    let submitted = store
        .submit(&file.request, "the vendor", &planned.chunks, Nanos::now())
        .await;
    assert_eq!(submitted.expect("it is submitted").added, 1_000_000);
    println!(
        "{engine:<10} both   {:>9.3} s",
        began.elapsed().as_secs_f64()
    );
    store.close().await;
}
