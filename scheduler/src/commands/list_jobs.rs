//! `scheduler list-jobs`: the job files of the configuration.

use std::process::ExitCode;

use common::configuration::job_file::JobFile;
use serde::Serialize;

use crate::arguments::{Global, ListJobs};
use crate::exit::print;
use crate::report::plain_table;
use crate::session::Session;

#[derive(Serialize)]
struct Entry {
    file: String,
    name: String,
    dataset: String,
    schemas: Vec<&'static str>,
    symbols: String,
    start: String,
    end: String,
}

/// Runs the command.
pub fn run(global: &Global, options: &ListJobs) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let mut entries = Vec::new();
    for document in session.files.read_all("jobs")? {
        let file = document.origin.clone();
        let request = JobFile::parse(document)?.request;
        entries.push(Entry {
            file,
            name: request.name,
            dataset: request.dataset,
            schemas: request.schemas.iter().map(dbn::Schema::as_str).collect(),
            symbols: request.symbols.to_string(),
            start: request.days.start().to_string(),
            end: request.days.end().to_string(),
        });
    }
    if options.json {
        let document = serde_json::json!({ "jobs": entries });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = plain_table(&[
        "name", "dataset", "schemas", "symbols", "start", "end", "file",
    ]);
    for entry in entries {
        let symbols: String = entry.symbols.chars().take(40).collect();
        let schemas = entry.schemas.join(" ");
        let row = [
            entry.name,
            entry.dataset,
            schemas,
            symbols,
            entry.start,
            entry.end,
            entry.file,
        ];
        table.add_row(row);
    }
    print(&format!("{table}\n"))?;
    Ok(ExitCode::SUCCESS)
}
