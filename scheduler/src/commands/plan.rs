//! `scheduler plan`: a job's chunks, records, bytes and dollars; nothing is changed.

use std::process::ExitCode;

use common::money::Usd;
use common::store::{Access, Store};
use common::time::{Day, Nanos};
use serde::Serialize;

use crate::arguments::{self, Global};
use crate::exit::print;
use crate::plan::{Plan, plan};
use crate::progress::{Planning, thousands};
use crate::report::{plain_table, right_aligned};
use crate::session::Session;
use crate::submission::ORIGIN;

/// Chunks that are listed for people; `--json` lists all.
const CHUNKS_SHOWN: usize = 40;

#[derive(Serialize)]
struct Document<'a> {
    chunks: usize,
    records: u64,
    bytes: u64,
    cost_usd: Usd,
    covered_chunks: usize,
    list: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    dataset: &'a str,
    schema: &'a str,
    symbols: &'a common::request::Symbols,
    start: Day,
    end: Day,
    records: Option<u64>,
}

/// Runs the command.
pub async fn run(global: &Global, options: &arguments::Plan) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let file = session.job_file(&options.file)?;
    let sources = session.sources(&file)?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    if let Some(store) = &store {
        store.check_origin(ORIGIN).await?;
    }
    let planning = Planning::begin();
    let source = sources.of(&file.request.source).await?;
    let planned = plan(&file, &*source, store.as_ref(), Nanos::now()).await?;
    drop(planning);
    for note in &planned.notes {
        tracing::warn!("{note}");
    }
    let dataset = &file.request.dataset;
    if options.json {
        let document = document(dataset, &planned);
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        print(&describe(
            &file.request.name,
            &planned,
            file.request.max_cost,
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn document<'a>(dataset: &'a str, planned: &'a Plan) -> Document<'a> {
    let list = planned.to_do().map(|chunk| Entry {
        dataset,
        schema: chunk.schema.as_str(),
        symbols: &chunk.symbols,
        start: chunk.days.start(),
        end: chunk.days.end(),
        records: chunk.records,
    });
    let list: Vec<_> = list.collect();
    Document {
        chunks: list.len(),
        records: planned.records(),
        bytes: planned.bytes(),
        cost_usd: planned.cost(),
        covered_chunks: planned.covered.len(),
        list,
    }
}

fn describe(name: &str, planned: &Plan, limit: Option<Usd>) -> String {
    let mut table = plain_table(&[
        "schema", "start", "end", "symbols", "records", "bytes", "dollars",
    ]);
    for chunk in planned.to_do().take(CHUNKS_SHOWN) {
        let symbols: String = chunk.symbols.to_string().chars().take(40).collect();
        table.add_row(right_aligned(vec![
            chunk.schema.to_string(),
            chunk.days.start().to_string(),
            chunk.days.end().to_string(),
            symbols,
            chunk
                .records
                .map_or_else(|| "not yet".to_owned(), thousands),
            thousands(chunk.billable_bytes),
            chunk.cost.to_string(),
        ]));
    }
    let mut text = String::new();
    let chunks = planned.to_do().count();
    if chunks > 0 {
        text.push_str(&format!("{table}\n"));
    }
    if let Some(more @ 1..) = chunks.checked_sub(CHUNKS_SHOWN) {
        text.push_str(&format!("and {more} chunks more; --json lists all\n"));
    }
    text.push_str(&format!(
        "{name}: {} chunks, {} records, {} bytes, ${}; {} chunks hold the rest already\n",
        thousands(chunks.try_into().unwrap_or(u64::MAX)),
        thousands(planned.records()),
        thousands(planned.bytes()),
        planned.cost(),
        planned.covered.len(),
    ));
    if let Some(limit) = limit.filter(|limit| planned.cost() > *limit) {
        text.push_str(&format!(
            "this is above the job's limit of ${limit}: it would be refused\n"
        ));
    }
    text
}
