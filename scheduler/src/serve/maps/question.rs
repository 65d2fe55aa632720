//! Question: which part of which map is wanted, as the address says it.

use std::collections::BTreeMap;

use common::chunk::JobId;
use common::configuration::document::Refusal;
use common::nearest::nearest;
use common::time::Day;
use dbn::{SType, Schema};

use super::choice::Choice;

/// The names that an address may have.
const NAMES: [&str; 12] = [
    "dataset",
    "schema",
    "stype_in",
    "job",
    "symbol",
    "first_symbol",
    "symbols",
    "start",
    "end",
    "day",
    "rows",
    "columns",
];
/// What is shown unless the address says otherwise.
const ROWS: usize = 40;
const COLUMNS: usize = 120;
/// What an answer has at most.
const ROWS_MAX: usize = 100;
const COLUMNS_MAX: usize = 400;

/// Which part of which map is wanted; what is left open leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Question {
    dataset: Option<String>,
    schema: Option<Schema>,
    stype_in: Option<SType>,
    job: Option<JobId>,
    /// One symbol's row.
    pub symbol: Option<String>,
    /// The first row, from 0.
    pub first_symbol: usize,
    /// So many rows.
    pub symbols: Option<usize>,
    /// The first UTC day.
    pub start: Option<Day>,
    /// The UTC day after the last.
    pub end: Option<Day>,
    /// One UTC day.
    pub day: Option<Day>,
    /// Rows of the answer at most.
    pub rows: usize,
    /// Columns of the answer at most.
    pub columns: usize,
}

impl Question {
    /// What an address asks.
    ///
    /// # Errors
    /// [`Refusal`] for a name that there is not, or a value that is none.
    pub fn read(address: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        if let Some(name) = address.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let help = match nearest(name, NAMES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", NAMES.join(", ")),
            };
            return Err(Refusal::of(name, "nobody asks for that", &help));
        }
        // An empty value is what a form sends that was left open.
        let given = |name: &str| address.get(name).filter(|value| !value.is_empty());
        let question = Self {
            dataset: given("dataset").cloned(),
            schema: parsed(given("schema"), "schema", "a schema, as trades or ohlcv-1d")?,
            stype_in: parsed(
                given("stype_in"),
                "stype_in",
                "a way to write symbols, as continuous",
            )?,
            job: parsed(given("job"), "job", "a job's number")?.map(JobId),
            symbol: given("symbol").cloned(),
            first_symbol: number(given("first_symbol"), "first_symbol", usize::MAX)?.unwrap_or(0),
            symbols: number(given("symbols"), "symbols", usize::MAX)?.map(|count| count.max(1)),
            start: day(given("start"), "start")?,
            end: day(given("end"), "end")?,
            day: day(given("day"), "day")?,
            rows: number(given("rows"), "rows", ROWS_MAX)?
                .unwrap_or(ROWS)
                .max(1),
            columns: number(given("columns"), "columns", COLUMNS_MAX)?
                .unwrap_or(COLUMNS)
                .max(1),
        };
        match (question.start, question.end) {
            (Some(start), Some(end)) if start >= end => {
                let message = format!("there is no day from {start} to before {end}");
                Err(Refusal::of(
                    "end",
                    message,
                    "the end is the day after the last",
                ))
            }
            _ => Ok(question),
        }
    }

    /// The map that is meant: the first of those that fit.
    ///
    /// # Errors
    /// [`Refusal`] when none does.
    pub fn choose<'a>(&self, choices: &'a [Choice]) -> Result<&'a Choice, Refusal> {
        let fits = |choice: &&Choice| {
            let which = &choice.which;
            self.dataset.as_ref().is_none_or(|of| *of == which.dataset)
                && self.schema.is_none_or(|of| of == which.schema)
                && self.stype_in.is_none_or(|of| of == which.stype_in)
                && self.job == which.job
        };
        choices.iter().find(fits).ok_or_else(|| {
            let help = "`/api/coverage/maps` lists what there is";
            Refusal::of(
                "dataset, schema, stype_in, job",
                "nothing of this was asked for",
                help,
            )
        })
    }
}

fn parsed<T: std::str::FromStr>(
    text: Option<&String>,
    name: &str,
    what: &str,
) -> Result<Option<T>, Refusal> {
    let parse = |text: &String| {
        let help = format!("write {what}");
        text.parse()
            .map_err(|_| Refusal::of(name, format!("{text:?} is none"), &help))
    };
    text.map(parse).transpose()
}

fn number(text: Option<&String>, name: &str, most: usize) -> Result<Option<usize>, Refusal> {
    let number = parsed::<usize>(text, name, "a whole number")?;
    match number {
        Some(number) if number > most => {
            let help = format!("write at most {most}");
            Err(Refusal::of(name, format!("{number} are too many"), &help))
        }
        number => Ok(number),
    }
}

fn day(text: Option<&String>, name: &str) -> Result<Option<Day>, Refusal> {
    let parse = |text: &String| {
        let date = text.parse::<chrono::NaiveDate>().ok();
        let day = date.and_then(|date| Day::try_from(date).ok());
        day.ok_or_else(|| {
            Refusal::of(
                name,
                format!("{text:?} is no day"),
                "write it as 2024-01-31",
            )
        })
    };
    text.map(parse).transpose()
}
