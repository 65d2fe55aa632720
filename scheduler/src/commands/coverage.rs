//! `scheduler coverage`: what is held, by symbol and day, as a picture or JSON; `--fill` plans what is
//! missing of a job, and with `--yes` submits it.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use common::configuration::document::Refusal;
use common::nearest::nearest;
use common::request::{JobSource, Request};
use common::source::{Source, Sources};
use common::store::{Access, Store};
use common::time::Day;

use super::{plan, submit};
use crate::arguments::{Coverage, Global, JobArguments, Plan, Submit};
use crate::coverage::gather::{Asked, Filter, everything, maps};
use crate::coverage::picture::{COLUMNS_PIPED, Style, draw, legend};
use crate::coverage::{Cell, SchemaMap, document};
use crate::exit::print;
use crate::session::Session;

/// Runs the command.
pub async fn run(global: &Global, options: &Coverage) -> anyhow::Result<ExitCode> {
    let filter = filter(options)?;
    if options.fill {
        return fill(global, options).await;
    }
    let session = Session::begin(global)?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let mut shown = Shown::begin(options)?;
    match &options.job {
        Some(job) => {
            let asked = asked(&session, job, store.as_ref()).await?;
            check_part(options, &filter, &asked.request)?;
            for (schema, days) in asked.schemas(&filter) {
                shown.show(&asked.map(schema, days, &filter, store.as_ref()).await?)?;
            }
        }
        None => {
            if let Some(store) = &store {
                for part in everything(store, &filter).await? {
                    for map in maps(store, part, &filter).await? {
                        shown.show(&map)?;
                    }
                }
            }
        }
    }
    shown.end()
}

/// Plans what is missing as `plan` does; with `--yes` submits it as `submit` does.
async fn fill(global: &Global, options: &Coverage) -> anyhow::Result<ExitCode> {
    let job = options.job.clone().unwrap_or_default();
    let set = settings(options);
    let file = JobArguments { job, set };
    let json = options.json;
    if options.yes {
        let (max_cost, wait) = (None, false);
        let submit = Submit {
            file,
            max_cost,
            wait,
            json,
        };
        return submit::run(global, &submit).await;
    }
    let code = plan::run(global, &Plan { file, json }).await?;
    if !json {
        print("nothing was changed: --yes submits it\n")?;
    }
    Ok(code)
}

/// The filters as what is set beside a job file.
fn settings(options: &Coverage) -> Vec<String> {
    let mut set = Vec::new();
    let lists = [("schemas", &options.schema), ("symbols", &options.symbol)];
    for (key, values) in lists {
        if !values.is_empty() {
            // JSON is YAML: whatever a symbol is written with, it stays one word.
            set.push(format!("{key}={}", serde_json::json!(values)));
        }
    }
    for (key, value) in [
        ("dataset", &options.dataset),
        ("start", &options.start),
        ("end", &options.end),
    ] {
        set.extend(value.iter().map(|value| format!("{key}={value}")));
    }
    set
}

/// The request of a job file, or else of a submitted job, and the source that can be asked about it.
async fn asked(session: &Session, wanted: &str, store: Option<&Store>) -> anyhow::Result<Asked> {
    let (request, job) = match (session.find_job_file(wanted)?, store) {
        (Some(file), store) => {
            let job = match store {
                Some(store) => store.job_of(&file.request).await?,
                None => None,
            };
            (file.request, job)
        }
        (None, Some(store)) => {
            let job = crate::submitted::find(store, wanted).await?.id;
            (store.request(job).await?, Some(job))
        }
        (None, None) => {
            let help = "name a file, or one of those that `scheduler list-jobs` shows";
            return Err(Refusal::of(wanted, "there is no such job", help).into());
        }
    };
    let origin = match store {
        Some(store) => store.origin().await?,
        None => None,
    };
    // The vendor knows nothing of a simulation's records.
    let source = match origin.is_none_or(|origin| origin == session.settings.origin()) {
        true => source_of(session, &request.source).await,
        false => None,
    };
    Ok(Asked {
        request,
        job,
        source,
    })
}

/// The source, where it can be asked.
async fn source_of(session: &Session, of: &JobSource) -> Option<Arc<dyn Source>> {
    let vendor = match of {
        JobSource::Vendor => session.vendor().await.ok(),
        JobSource::Files(_) => None,
    };
    match Sources::new(vendor).of(of).await {
        Ok(source) => Some(source),
        Err(error) => {
            tracing::warn!(
                "the source can't be asked ({error}): days on which a symbol didn't exist, or that \
                 the source doesn't have, can look like gaps"
            );
            None
        }
    }
}

/// The filters, as typed, checked.
fn filter(options: &Coverage) -> Result<Filter, Refusal> {
    let day = |flag: &str, text: &Option<String>| {
        let parse = |text: &String| {
            let day = text.parse::<chrono::NaiveDate>().ok();
            let day = day.and_then(|date| Day::try_from(date).ok());
            day.ok_or_else(|| {
                let message = format!("{text:?} is no day");
                Refusal::of(flag, message, "write it as 2024-01-31")
            })
        };
        text.as_ref().map(parse).transpose()
    };
    let schema = |text: &String| {
        let help = "write it as the vendor does, for example trades or ohlcv-1d";
        let message = format!("there is no schema {text:?}");
        text.parse()
            .map_err(|_| Refusal::of("--schema", message, help))
    };
    let filter = Filter {
        dataset: options.dataset.clone(),
        schemas: options
            .schema
            .iter()
            .map(schema)
            .collect::<Result<_, _>>()?,
        symbols: options.symbol.clone(),
        start: day("--start", &options.start)?,
        end: day("--end", &options.end)?,
    };
    match (filter.start, filter.end) {
        (Some(start), Some(end)) if start >= end => {
            let message = format!("there is no day from {start} to before {end}");
            Err(Refusal::of(
                "--end",
                message,
                "the end is the day after the last",
            ))
        }
        _ => Ok(filter),
    }
}

/// Refuses filters that leave nothing of a job.
fn check_part(options: &Coverage, filter: &Filter, request: &Request) -> Result<(), Refusal> {
    let names = request.symbols.names().unwrap_or_default();
    for symbol in &filter.symbols {
        if !names.contains(symbol) && request.symbols.to_string() != *symbol {
            let help = match nearest(symbol, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "leave --symbol out to see all of them".to_owned(),
            };
            return Err(Refusal::of(
                symbol,
                "the job asks for no such symbol",
                &help,
            ));
        }
    }
    if let Some(schema) = filter
        .schemas
        .iter()
        .find(|of| !request.schemas.contains(of))
    {
        let schemas: Vec<_> = request.schemas.iter().map(|of| of.as_str()).collect();
        let help = format!("it asks for {}", schemas.join(", "));
        let message = format!("the job asks for no {schema}");
        return Err(Refusal::of("--schema", message, &help));
    }
    let other = options.dataset.as_ref();
    if let Some(other) = other.filter(|dataset| **dataset != request.dataset) {
        let help = format!("it asks for {}", request.dataset);
        return Err(Refusal::of(other, "the job is of another dataset", &help));
    }
    if filter.days(request.days).is_none() {
        let help = format!(
            "it asks for {} to before {}",
            request.days.start(),
            request.days.end()
        );
        return Err(Refusal::of(
            "--start, --end",
            "the job asks for none of these days",
            &help,
        ));
    }
    Ok(())
}

/// What was shown so far.
struct Shown<'a> {
    options: &'a Coverage,
    style: Style,
    seen: BTreeSet<Cell>,
    maps: usize,
}

impl<'a> Shown<'a> {
    fn begin(options: &'a Coverage) -> anyhow::Result<Self> {
        let terminal = console::Term::stdout();
        let columns = terminal.size_checked();
        let is_terminal = std::io::stdout().is_terminal();
        let columns = columns.filter(|_| is_terminal);
        let style = Style {
            columns: columns.map_or(COLUMNS_PIPED, |(_, columns)| columns.into()),
            colours: is_terminal && console::colors_enabled(),
            by: options.by,
            all_rows: options.all,
        };
        if options.json {
            print("{\"maps\":[")?;
        }
        Ok(Self {
            options,
            style,
            seen: BTreeSet::new(),
            maps: 0,
        })
    }

    fn show(&mut self, map: &SchemaMap) -> anyhow::Result<()> {
        let first = self.maps == 0;
        self.maps += 1;
        if self.options.json {
            print(if first { "\n" } else { ",\n" })?;
            return document::tell(map, print);
        }
        print(&format!("{}\n", draw(map, self.style, &mut self.seen)))
    }

    fn end(self) -> anyhow::Result<ExitCode> {
        match (self.options.json, self.maps) {
            (true, _) => print("]}\n")?,
            (false, 0) => print("nothing of this is held or asked for\n")?,
            (false, _) => print(&legend(&self.seen, self.style.colours))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
