//! `scheduler plan`: a job's chunks, records, bytes and dollars; nothing is changed.

use std::process::ExitCode;

use common::money::Usd;
use common::store::{Access, Store};
use common::time::{Day, Nanos};
use serde::Serialize;

use crate::arguments::{self, Global};
use crate::budget;
use crate::exit::print;
use crate::plan::archived::saving;
use crate::plan::{Plan, plan};
use crate::progress::{Planning, counted, thousands};
use crate::report::{plain_table, right_aligned};
use crate::session::Session;

/// Chunks that are listed for people; `--json` lists all.
const CHUNKS_SHOWN: usize = 40;

#[derive(Serialize)]
struct Document<'a> {
    chunks: usize,
    records: u64,
    bytes: u64,
    /// What would be paid.
    cost_usd: Usd,
    /// What would be paid besides, if the archive were empty.
    saved_usd: Usd,
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
    /// What the vendor would bill, unless the archive has it.
    price_usd: Usd,
    /// Whether the archive has it.
    archived: bool,
}

/// Runs the command.
pub async fn run(global: &Global, options: &arguments::Plan) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let file = session.job_file(&options.file)?;
    let sources = session.sources(&file).await?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    if let Some(store) = &store {
        store.check_origin(session.settings.origin()).await?;
    }
    let planning = Planning::begin();
    let source = sources.of(&file.request.source).await?;
    let mut planned = plan(&file, &*source, store.as_ref(), Nanos::now()).await?;
    let archive = session.archive()?;
    planned.look_up(&file.request, &*source, &archive).await?;
    drop(planning);
    for note in &planned.notes {
        tracing::warn!("{note}");
    }
    let dataset = &file.request.dataset;
    if options.json {
        let document = document(dataset, &planned);
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        let refusal = budget::refusal(&session.settings, store.as_ref(), &file.request, &planned);
        print(&describe(&file.request.name, &planned, refusal.await?))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn document<'a>(dataset: &'a str, planned: &'a Plan) -> Document<'a> {
    let list = planned.looked_up().map(|(chunk, archived)| Entry {
        dataset,
        schema: chunk.schema.as_str(),
        symbols: &chunk.symbols,
        start: chunk.days.start(),
        end: chunk.days.end(),
        records: chunk.records,
        price_usd: chunk.cost,
        archived,
    });
    let list: Vec<_> = list.collect();
    Document {
        chunks: list.len(),
        records: planned.records(),
        bytes: planned.bytes(),
        cost_usd: planned.cost(),
        saved_usd: planned.saved(),
        covered_chunks: planned.covered.len(),
        list,
    }
}

fn describe(name: &str, planned: &Plan, refusal: Option<String>) -> String {
    let mut table = plain_table(&[
        "schema", "start", "end", "symbols", "records", "bytes", "dollars",
    ]);
    for (chunk, archived) in planned.looked_up().take(CHUNKS_SHOWN) {
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
            match archived {
                true => "archived".to_owned(),
                false => chunk.cost.to_string(),
            },
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
        "{name}: {}, {} records, {} bytes, ${}{}; {} chunks hold the rest already\n",
        counted(chunks.try_into().unwrap_or(u64::MAX), "chunk"),
        thousands(planned.records()),
        thousands(planned.bytes()),
        planned.cost(),
        saving(planned.saved()),
        planned.covered.len(),
    ));
    if let Some(refusal) = refusal {
        text.push_str(&format!("it would be refused: {refusal}\n"));
    }
    text
}
