//! `scheduler rules check`: type-check all mappings and rules; try them on a DBN file.

mod sample;

use std::collections::HashMap;
use std::process::ExitCode;

use common::configuration::document::{Refusal, Refusals};
use common::configuration::job_file::JobFile;
use common::configuration::mapping::{Mapping, Mappings};
use common::store::{Access, Store};
use serde::Serialize;

use self::sample::try_on;
use crate::arguments::{Global, RulesCheck};
use crate::exit::print;
use crate::session::{Session, check_switches};

#[derive(Serialize)]
struct Checked {
    schema: String,
    file: String,
    table: String,
    columns: usize,
    rules: Vec<CheckedRule>,
}

#[derive(Serialize)]
struct CheckedRule {
    name: String,
    severity: String,
    enabled: bool,
    check: String,
}

/// Runs the command.
pub async fn check(global: &Global, options: &RulesCheck) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let mappings = in_order(&session).await?;
    let sample = match &options.sample {
        Some(path) => Some(try_on(path, &mappings)?),
        None => None,
    };
    let mut checked: Vec<_> = mappings.iter().map(Checked::of).collect();
    checked.sort_by(|one, other| one.file.cmp(&other.file));
    if options.json {
        let document = serde_json::json!({ "schemas": checked, "sample": sample });
        print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    match &sample {
        None => print(&describe(&checked))?,
        Some(sample) => print(&sample.describe(session.settings.max_quarantine_percent))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All mappings, checked against the tables and job files; all that is wrong is told at once.
async fn in_order(session: &Session) -> anyhow::Result<Vec<Mapping>> {
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let store = match store {
        Some(store) => store,
        None => Store::in_memory().await?,
    };
    let mut found = Mappings::load(&session.files)?;
    found.check_against(&store).await?;
    let of_jobs = check_jobs(session, &found)?;
    found.refusals.extend(of_jobs);
    if found.refusals.is_empty() {
        return Ok(found.mappings);
    }
    let place = |refusal: &Refusal| (refusal.origin.clone(), refusal.place);
    found.refusals.sort_by_key(place);
    Err(Refusals(found.refusals).into())
}

/// The schemas of job files are mapped, and what they turn on and off exists.
fn check_jobs(session: &Session, found: &Mappings) -> Result<Vec<Refusal>, Refusal> {
    let mut refusals = Vec::new();
    for document in session.files.read_all("jobs")? {
        let file = match JobFile::parse(document) {
            Ok(file) => file,
            Err(refusal) => {
                refusals.push(refusal);
                continue;
            }
        };
        let mut of_job = HashMap::new();
        for schema in &file.request.schemas {
            let mut mapped = found.mappings.iter();
            match mapped.find(|mapping| mapping.schema == *schema) {
                Some(mapping) => {
                    of_job.insert(*schema, mapping.clone());
                }
                // A file that can't be read may map it.
                None if found.all_read => {
                    let message = format!("no file maps the schema {schema}");
                    let help = "map it in a file of `schemas/`, or leave it out of the job";
                    refusals.push(file.refuse_schema(*schema, message, help));
                }
                None => {}
            }
        }
        // A rule that was refused is not there to be turned on or off.
        let whole = of_job.values().all(Mapping::is_whole);
        if whole && of_job.len() == file.request.schemas.len() {
            refusals.extend(check_switches(&file, &of_job).err());
        }
    }
    Ok(refusals)
}

impl Checked {
    fn of(mapping: &Mapping) -> Self {
        let rules = mapping.rules.iter();
        Self {
            schema: mapping.schema.to_string(),
            file: mapping.origin().to_owned(),
            table: mapping.table.clone(),
            columns: mapping.columns.len(),
            rules: rules
                .map(|rule| CheckedRule {
                    name: rule.name.to_string(),
                    severity: rule.severity.to_string(),
                    enabled: rule.enabled,
                    check: rule.text.clone(),
                })
                .collect(),
        }
    }
}

/// A paragraph a file: its schemas share the rules.
fn describe(checked: &[Checked]) -> String {
    let mut text = String::new();
    let mut rules = 0;
    for of_file in checked.chunk_by(|one, next| one.file == next.file) {
        let Some(first) = of_file.first() else {
            continue;
        };
        rules += first.rules.len();
        let schemas: Vec<_> = of_file.iter().map(|one| one.schema.as_str()).collect();
        text.push_str(&format!(
            "{}: {} → {}, {} columns\n",
            first.file,
            schemas.join(", "),
            first.table,
            first.columns
        ));
        for rule in &first.rules {
            let off = if rule.enabled { "" } else { " (off)" };
            let check: Vec<_> = rule.check.split_whitespace().collect();
            text.push_str(&format!(
                "  {:<8} {:<28} {}{off}\n",
                rule.severity,
                rule.name,
                check.join(" ")
            ));
        }
    }
    text.push_str(&format!(
        "{} schemas, {rules} rules: all in order\n",
        checked.len()
    ));
    text
}
