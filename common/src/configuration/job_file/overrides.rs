//! What is set beside a job file: `key=value`, each value read as if it stood in the file.

use std::ops::Range;

use serde::de::DeserializeOwned;

use super::Written;
use crate::configuration::document::{Document, Refusal};
use crate::nearest::did_you_mean;

/// The keys of a job file.
const KEYS: [&str; 14] = [
    "name",
    "dataset",
    "schemas",
    "symbols",
    "stype_in",
    "start",
    "end",
    "chunking",
    "priority",
    "max_cost_usd",
    "rules",
    "max_quarantine_percent",
    "source",
    "folder",
];

/// What was set. Each value has lines of its own, numbered on from the file's last: a place tells
/// whether the file or which value is meant.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    values: Vec<(Range<u64>, String)>,
}

impl Overrides {
    /// Replaces what is written; a key that is set twice has the later value.
    pub(super) fn apply(
        settings: &[String],
        document: &Document,
        written: &mut Written,
    ) -> Result<Self, Refusal> {
        let mut overrides = Self::default();
        let mut line = lines(&document.text);
        for setting in settings {
            let (key, value) = setting.split_once('=').ok_or_else(|| no_value(setting))?;
            let key = key.trim();
            if value.trim().is_empty() {
                return Err(no_value(key));
            }
            let first = line;
            line += lines(value);
            let text = "\n".repeat(usize::try_from(first).unwrap_or_default()) + value;
            let value = Document {
                origin: flag(key),
                text,
            };
            overrides.values.push((first + 1..line + 1, key.to_owned()));
            set(written, key, &value).map_err(|refusal| overrides.place(refusal))?;
        }
        Ok(overrides)
    }

    /// A refusal of a value that was set names its flag instead of a place in the file.
    pub(super) fn place(&self, mut refusal: Refusal) -> Refusal {
        let line = refusal.place.map(|(line, _)| line);
        let mut values = self.values.iter();
        let meant = line.and_then(|line| values.find(|(lines, _)| lines.contains(&line)));
        let Some((_, key)) = meant else {
            return refusal;
        };
        let help = refusal.help.take();
        let help =
            help.unwrap_or_else(|| format!("write the value as a job file has it; {EXAMPLES}"));
        Refusal::of(flag(key), refusal.message, &help)
    }
}

const EXAMPLES: &str = "for example --set priority=5, or --set 'chunking={days: 1}'";

fn flag(key: &str) -> String {
    format!("--set {key}")
}

fn no_value(key: &str) -> Refusal {
    Refusal::of(
        flag(key),
        "there is no value",
        &format!("write key=value; {EXAMPLES}"),
    )
}

fn lines(text: &str) -> u64 {
    u64::try_from(text.split('\n').count()).unwrap_or(u64::MAX)
}

fn set(written: &mut Written, key: &str, value: &Document) -> Result<(), Refusal> {
    fn read<T: DeserializeOwned>(value: &Document) -> Result<T, Refusal> {
        value.parse()
    }
    match key {
        "name" => written.name = read(value)?,
        "dataset" => written.dataset = read(value)?,
        "schemas" => written.schemas = read(value)?,
        "symbols" => written.symbols = read(value)?,
        "stype_in" => written.stype_in = Some(read(value)?),
        "start" => written.start = read(value)?,
        "end" => written.end = read(value)?,
        "chunking" => written.chunking = Some(read(value)?),
        "priority" => written.priority = read(value)?,
        "max_cost_usd" => written.max_cost_usd = Some(read(value)?),
        "rules" => written.rules = read(value)?,
        "max_quarantine_percent" => written.max_quarantine_percent = Some(read(value)?),
        "source" => written.source = Some(read(value)?),
        "folder" => written.folder = Some(read(value)?),
        unknown => {
            let help = did_you_mean(unknown, KEYS.into_iter(), "the keys of a job file");
            let message = "a job file has no such key";
            return Err(Refusal::of(flag(unknown), message, &help));
        }
    }
    Ok(())
}
