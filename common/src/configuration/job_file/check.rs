//! What is written in a job file, key by key, as the request that it makes.

use std::str::FromStr;

use chrono::NaiveDate;
use dbn::{SType, Schema};
use serde_saphyr::Spanned;

use super::{OneOrMany, Switch, Written};
use crate::configuration::document::{Document, Refusal};
use crate::money::Usd;
use crate::nearest::nearest;
use crate::quality::{NotAPercentage, Quality};
use crate::request::{
    ChunkLength, Chunking, JobSource, Request, SCHEMAS, SYMBOLS_PER_REQUEST_MAX, Symbols,
};
use crate::time::{Day, DayRange};

/// How symbols can be written in a request.
pub(super) const STYPES_IN: [SType; 4] = [
    SType::RawSymbol,
    SType::Continuous,
    SType::Parent,
    SType::InstrumentId,
];

/// How they are written when nothing says so.
pub(super) const STYPE_IN_DEFAULT: SType = SType::RawSymbol;

/// A document and what is written in it.
pub(super) struct Check<'a> {
    pub(super) document: &'a Document,
    pub(super) written: &'a Written,
}

impl Check<'_> {
    /// The request that it makes.
    pub(super) fn request(&self) -> Result<Request, Refusal> {
        let written = self.written;
        let stype_in = self.stype_in()?;
        Ok(Request {
            name: self.name()?,
            dataset: written.dataset.value.clone(),
            schemas: self.schemas()?,
            symbols: self.symbols(stype_in)?,
            stype_in,
            days: self.days()?,
            chunking: self.chunking()?,
            priority: written.priority,
            max_cost: self.max_cost()?,
            quality: self.quality()?,
            source: self.source()?,
        })
    }

    fn name(&self) -> Result<String, Refusal> {
        let name = &self.written.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !name.value.is_empty() && name.value.len() <= 100 && name.value.chars().all(plain) {
            return Ok(name.value.clone());
        }
        let help = "use 1 to 100 letters, digits, `-`, `_` and `.`, for example es-trades-2024q1";
        Err(self
            .document
            .refuse_at(name, format!("{:?} can't name a job", name.value), help))
    }

    fn schemas(&self) -> Result<Vec<Schema>, Refusal> {
        let mut schemas = Vec::new();
        for written in &self.written.schemas.value {
            let known = SCHEMAS
                .iter()
                .copied()
                .find(|schema| schema.as_str() == written.value);
            let Some(schema) = known else {
                let message = format!("unknown schema {:?}", written.value);
                return Err(self.document.refuse_at(
                    written,
                    message,
                    &schema_help(&written.value),
                ));
            };
            if !schemas.contains(&schema) {
                schemas.push(schema);
            }
        }
        if schemas.is_empty() {
            let message = "the job names no schema".to_owned();
            let help = "write for example `schemas: [trades]`";
            let place = &self.written.schemas;
            return Err(self.document.refuse_at(place, message, help));
        }
        Ok(schemas)
    }

    fn stype_in(&self) -> Result<SType, Refusal> {
        let Some(written) = &self.written.stype_in else {
            return Ok(STYPE_IN_DEFAULT);
        };
        let known = STYPES_IN
            .into_iter()
            .find(|stype| stype.as_str() == written.value);
        known.ok_or_else(|| {
            let names = STYPES_IN.map(|stype| stype.as_str()).join(", ");
            let message = format!("unknown symbol type {:?}", written.value);
            self.document
                .refuse_at(written, message, &format!("write one of {names}"))
        })
    }

    fn symbols(&self, stype_in: SType) -> Result<Symbols, Refusal> {
        let list = &self.written.symbols;
        let words = &list.value.0;
        if words.is_empty() {
            let help = "write for example `symbols: [ES.c.0]`, or `symbols: ALL_SYMBOLS`";
            return Err(self
                .document
                .refuse_at(list, "the job names no symbol".to_owned(), help));
        }
        if words.iter().any(|word| word.value == "ALL_SYMBOLS") {
            if words.len() == 1 {
                return Ok(Symbols::ALL);
            }
            let message = "ALL_SYMBOLS stands beside other symbols".to_owned();
            let help = "it means every instrument of the dataset: write it alone";
            return Err(self.document.refuse_at(list, message, help));
        }
        let mut symbols = Vec::with_capacity(words.len());
        for word in words {
            if let Err(help) = check_symbol(&word.value, stype_in) {
                let kind = stype_in.as_str();
                let message = format!("{:?} is not a symbol of type {kind}", word.value);
                let place = place_of(list, Some(word));
                return Err(self.document.refuse_at(&place, message, help));
            }
            symbols.push(word.value.clone());
        }
        Ok(Symbols::named(symbols))
    }

    fn days(&self) -> Result<DayRange, Refusal> {
        let start = self.day(&self.written.start)?;
        let end = self.day(&self.written.end)?;
        DayRange::new(start, end).ok_or_else(|| {
            let message = format!("the end, {end}, is not after the start, {start}");
            let help = format!(
                "the end is exclusive: for one day write `end: {}`",
                start.plus(1)
            );
            self.document.refuse_at(&self.written.end, message, &help)
        })
    }

    fn day(&self, written: &Spanned<String>) -> Result<Day, Refusal> {
        let date = NaiveDate::from_str(&written.value).ok();
        // One way to write a day, whatever else the library reads.
        date.filter(|date| date.to_string() == written.value)
            .and_then(|date| Day::try_from(date).ok())
            .ok_or_else(|| {
                let message = format!("{:?} is not a day", written.value);
                let help = "write a date of the calendar as YYYY-MM-DD, for example 2024-01-31";
                self.document.refuse_at(written, message, help)
            })
    }

    fn chunking(&self) -> Result<Chunking, Refusal> {
        let Some(written) = &self.written.chunking else {
            return Ok(Chunking::default());
        };
        let refuse =
            |message: &str, help| self.document.refuse_at(written, message.to_owned(), help);
        let length = match (written.value.records, written.value.days) {
            (Some(0), _) | (_, Some(0)) => {
                return Err(refuse(
                    "a chunk can't be empty",
                    "write a number of at least 1",
                ));
            }
            (Some(_), Some(_)) => {
                let help = "write `{records: 1_000_000}` or `{days: 1}`";
                return Err(refuse(
                    "a chunk is cut by records or by days, not by both",
                    help,
                ));
            }
            (Some(records), None) => ChunkLength::Records(records),
            (None, Some(days)) => ChunkLength::Days(days),
            (None, None) => Chunking::default().length,
        };
        let symbols_max = written.value.symbols.unwrap_or(SYMBOLS_PER_REQUEST_MAX);
        if symbols_max == 0 || symbols_max > SYMBOLS_PER_REQUEST_MAX {
            let help = "write a number from 1 to 2000, the vendor's limit for a request";
            return Err(refuse(
                "the number of symbols in a chunk is out of range",
                help,
            ));
        }
        Ok(Chunking {
            length,
            symbols_max,
        })
    }

    fn quality(&self) -> Result<Quality, Refusal> {
        let rules = self.written.rules.iter();
        let limit = self.written.max_quarantine_percent.as_ref();
        let limit = limit.map(|written| {
            written.value.parse().map_err(|error: NotAPercentage| {
                let message = format!("{:?}: {error}", written.value);
                let help = "write for example `max_quarantine_percent: 0.5`";
                self.document.refuse_at(written, message, help)
            })
        });
        Ok(Quality {
            rules: rules
                .map(|(name, switch)| (name.clone(), switch.value == Switch::On))
                .collect(),
            limit: limit.transpose()?,
        })
    }

    /// Whether the folder is there is for those to see who are to read it.
    fn source(&self) -> Result<JobSource, Refusal> {
        let written = self.written;
        let source = written.source.as_ref();
        match (source.map(|source| source.value.as_str()), &written.folder) {
            (Some("files"), Some(folder)) if !folder.value.is_empty() => {
                // A job stays the same where a link leads elsewhere, or the folder is not there yet.
                let absolute = std::path::absolute(&folder.value).ok();
                let absolute = absolute.filter(|path| path.to_str().is_some());
                let path = absolute.ok_or_else(|| {
                    let message = "the folder's path is no text in UTF-8".to_owned();
                    let help = "run from a folder whose path is, or write the folder's whole path";
                    self.document.refuse_at(folder, message, help)
                })?;
                Ok(JobSource::Files(path.components().collect()))
            }
            (Some("files"), _) => {
                let message = "the job names no folder of files".to_owned();
                let help = "write the folder that holds the DBN files, for example `folder: downloads/GLBX-20240501`";
                let place = written.folder.as_ref().or(source);
                let place = place.unwrap_or(&written.name);
                Err(self.document.refuse_at(place, message, help))
            }
            (None | Some("vendor"), None) => Ok(JobSource::Vendor),
            (None | Some("vendor"), Some(folder)) => {
                let message = "a folder is named, and the records come from the vendor".to_owned();
                let help = "write `source: files` to read the folder's DBN files, or leave it out";
                Err(self.document.refuse_at(folder, message, help))
            }
            (Some(unknown), _) => {
                let message = format!("unknown source {unknown:?}");
                let help = "write `source: vendor` or `source: files`";
                let place = source.unwrap_or(&written.name);
                Err(self.document.refuse_at(place, message, help))
            }
        }
    }

    fn max_cost(&self) -> Result<Option<Usd>, Refusal> {
        let Some(written) = &self.written.max_cost_usd else {
            return Ok(None);
        };
        match written.value.parse() {
            Ok(amount) => Ok(Some(amount)),
            Err(_) => {
                let message = format!("{:?} is not an amount of dollars", written.value);
                let help = "write for example `max_cost_usd: 25.00`";
                Err(self.document.refuse_at(written, message, help))
            }
        }
    }
}

/// A word's place; a bare word has that of the list.
pub(super) fn place_of(list: &Spanned<OneOrMany>, word: Option<&Spanned<String>>) -> Spanned<()> {
    let place = word.map(|word| word.referenced);
    let place = place.filter(|place| place.line() > 0);
    let place = place.unwrap_or(list.referenced);
    Spanned::new((), place, place)
}

fn schema_help(mistyped: &str) -> String {
    let names = SCHEMAS.map(|schema| schema.as_str());
    match nearest(mistyped, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", names.join(", ")),
    }
}

/// Checks a symbol's form; the vendor alone knows whether it exists.
fn check_symbol(symbol: &str, stype_in: SType) -> Result<(), &'static str> {
    let parts: Vec<&str> = symbol.split('.').collect();
    let plain = !symbol.is_empty()
        && symbol.len() <= 70
        && !symbol.contains(',')
        && !symbol.chars().any(char::is_control);
    match stype_in {
        SType::Continuous => match parts[..] {
            [root, "c" | "v" | "n", rank] if plain && !root.is_empty() && is_number(rank) => Ok(()),
            _ => Err(
                "write ROOT.RULE.RANK with rule c (calendar), v (volume) or n (open interest), for example ES.c.0",
            ),
        },
        SType::Parent => match parts[..] {
            [root, "FUT" | "OPT" | "SPOT"] if plain && !root.is_empty() => Ok(()),
            _ => Err("write ROOT.FUT, ROOT.OPT or ROOT.SPOT, for example ES.FUT"),
        },
        SType::InstrumentId if !is_number(symbol) => {
            Err("write the instrument's number, for example 118")
        }
        _ if plain => Ok(()),
        _ => Err("write one symbol a list entry, for example `symbols: [ESH4, ESM4]`"),
    }
}

/// Digits alone: the number's text is what the vendor is asked for.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok()
}
