//! A job file: what a person writes to ask for a backfill, checked into a [`Request`].

mod check;
mod overrides;
#[cfg(feature = "json-schema")]
mod shape;

use std::collections::BTreeMap;

use dbn::Schema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use self::check::{Check, place_of};
use self::overrides::Overrides;
use super::document::{Document, Refusal, given};
#[cfg(feature = "json-schema")]
use super::json_schema::{dollars, percent};
use crate::request::Request;

/// A job: which history to bring into the database, and within which limits.
#[derive(Debug, Deserialize)]
#[cfg_attr(
    feature = "json-schema",
    derive(schemars::JsonSchema),
    schemars(extend("allOf" = shape::between_keys()))
)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// A name for people and for `status`: letters, digits, `-`, `_` and `.`.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::name"))]
    name: Spanned<String>,
    /// The vendor's code of the dataset.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::dataset"))]
    dataset: Spanned<String>,
    /// The kinds of records.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::schemas"))]
    schemas: Spanned<Vec<Spanned<String>>>,
    /// The symbols, or `ALL_SYMBOLS` for every instrument of the dataset.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::symbols"))]
    symbols: Spanned<OneOrMany>,
    /// How the symbols are written: as the venue has them (`ESH4`), by a rule that follows rolls
    /// (`ES.c.0`), by their product (`ES.FUT`), or by the instruments' numbers.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(
        feature = "json-schema",
        schemars(schema_with = "shape::stype_in", extend("default" = shape::STYPE_IN))
    )]
    stype_in: Option<Spanned<String>>,
    /// The first UTC day.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::day"))]
    start: Spanned<String>,
    /// The UTC day after the last.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::day"))]
    end: Spanned<String>,
    /// How to cut the work into chunks: by records or by days, and by symbols. Cuts fall on UTC
    /// midnight.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(
        feature = "json-schema",
        schemars(with = "WrittenChunking", extend("default" = shape::chunking()))
    )]
    chunking: Option<Spanned<WrittenChunking>>,
    /// Jobs of higher priority are worked on first.
    #[serde(default)]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::priority"))]
    priority: i32,
    /// Never spend more dollars than this on the job: it is refused above it, and no request goes out
    /// that could pass it. When left out there is no such limit.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "dollars"))]
    max_cost_usd: Option<Spanned<String>>,
    /// Rules that the job turns on or off, by their names; the others are as their mapping says.
    #[serde(default)]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::rules"))]
    rules: BTreeMap<String, Spanned<Switch>>,
    /// The largest share of a chunk's records, in percent, that may be quarantined. When left out,
    /// the setting of the same name.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "percent"))]
    max_quarantine_percent: Option<Spanned<String>>,
    /// Where the records come from: the vendor's service, or a folder of DBN files.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(
        feature = "json-schema",
        schemars(schema_with = "shape::source", extend("default" = shape::SOURCE))
    )]
    source: Option<Spanned<String>>,
    /// The folder of DBN files, with `source: files`; relative to the working folder.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::folder"))]
    folder: Option<Spanned<String>>,
}

/// Whether a rule is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    #[serde(alias = "true")]
    On,
    #[serde(alias = "false")]
    Off,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(
    feature = "json-schema",
    derive(schemars::JsonSchema),
    schemars(extend("not" = { "required": ["records", "days"] }))
)]
#[serde(deny_unknown_fields)]
struct WrittenChunking {
    /// As many whole days as hold about so many records by the vendor's count; a larger day is cut by
    /// symbols.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::records"))]
    records: Option<u64>,
    /// So many days, instead of `records`.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::chunk_days"))]
    days: Option<u32>,
    /// At most so many symbols; the default is the vendor's limit for a request.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(
        feature = "json-schema",
        schemars(
            schema_with = "shape::chunk_symbols",
            extend("default" = shape::chunk_symbols_default())
        )
    )]
    symbols: Option<usize>,
}

/// A list, or one bare word: `symbols: ALL_SYMBOLS`.
#[derive(Debug)]
struct OneOrMany(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of symbols, or ALL_SYMBOLS")
            }

            fn visit_str<E>(self, word: &str) -> Result<OneOrMany, E> {
                let nowhere = serde_saphyr::Location::UNKNOWN;
                let word = Spanned::new(word.to_owned(), nowhere, nowhere);
                Ok(OneOrMany(vec![word]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<OneOrMany, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(OneOrMany(words))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A checked job file; it still knows where each value stands, for what only the vendor can tell.
#[derive(Debug)]
pub struct JobFile {
    /// The request that it makes.
    pub request: Request,
    document: Document,
    written: Written,
    overrides: Overrides,
}

impl JobFile {
    /// Reads and checks a job file.
    ///
    /// # Errors
    /// [`Refusal`] with the place and what to write instead.
    pub fn parse(document: Document) -> Result<Self, Refusal> {
        Self::parse_with(document, &[])
    }

    /// Reads a job file, takes `key=value` for what is written of each such key, and checks it.
    ///
    /// # Errors
    /// [`Refusal`] with the place, or the `--set key`, and what to write instead.
    pub fn parse_with(document: Document, settings: &[String]) -> Result<Self, Refusal> {
        let mut written: Written = document.parse()?;
        let overrides = Overrides::apply(settings, &document, &mut written)?;
        let check = Check {
            document: &document,
            written: &written,
        };
        let request = check
            .request()
            .map_err(|refusal| overrides.place(refusal))?;
        Ok(Self {
            request,
            document,
            written,
            overrides,
        })
    }

    fn refuse_at<T>(&self, place: &Spanned<T>, message: String, help: &str) -> Refusal {
        let refusal = self.document.refuse_at(place, message, help);
        self.overrides.place(refusal)
    }

    /// Refuses the dataset, at its place.
    #[must_use]
    pub fn refuse_dataset(&self, message: String, help: &str) -> Refusal {
        self.refuse_at(&self.written.dataset, message, help)
    }

    /// Refuses one schema, at its place.
    #[must_use]
    pub fn refuse_schema(&self, schema: Schema, message: String, help: &str) -> Refusal {
        let place = self
            .written
            .schemas
            .value
            .iter()
            .find(|written| written.value == schema.as_str())
            .unwrap_or(&self.written.dataset);
        self.refuse_at(place, message, help)
    }

    /// Refuses one symbol, at its place.
    #[must_use]
    pub fn refuse_symbol(&self, symbol: &str, message: String, help: &str) -> Refusal {
        let list = &self.written.symbols;
        let word = list.value.0.iter().find(|word| word.value == symbol);
        let place = place_of(list, word);
        self.refuse_at(&place, message, help)
    }

    /// Refuses what a job says of a rule, at its place.
    #[must_use]
    pub fn refuse_rule(&self, rule: &str, message: String, help: &str) -> Refusal {
        match self.written.rules.get(rule) {
            Some(place) => self.refuse_at(place, message, help),
            None => self.refuse_at(&self.written.name, message, help),
        }
    }

    /// Refuses the folder of files, at its place.
    #[must_use]
    pub fn refuse_folder(&self, message: String, help: &str) -> Refusal {
        let place = self.written.folder.as_ref();
        self.refuse_at(place.unwrap_or(&self.written.name), message, help)
    }

    /// Refuses the range of days, at the start's or the end's place.
    #[must_use]
    pub fn refuse_days(&self, end: bool, message: String, help: &str) -> Refusal {
        let place = if end {
            &self.written.end
        } else {
            &self.written.start
        };
        self.refuse_at(place, message, help)
    }
}
