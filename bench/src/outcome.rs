//! The outcome of a benchmark: figures, ratios of one run, and how they stand to the targets.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::machine::Machine;
use crate::samples::Samples;

/// What a benchmark came to.
#[derive(Debug)]
pub struct Outcome {
    about: String,
    rounds: usize,
    figures: Vec<Figure>,
    targets: Vec<Target>,
    notes: Vec<String>,
}

/// A number that was measured in each round.
#[derive(Debug)]
struct Figure {
    key: String,
    unit: &'static str,
    samples: Samples,
}

/// What a figure should be.
#[derive(Debug)]
struct Target {
    key: String,
    value: f64,
    bound: Bound,
}

/// How far a figure may go.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// It is to be this or more.
    AtLeast(f64),
    /// It is to be this or less.
    AtMost(f64),
}

impl Bound {
    fn is_kept(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl Outcome {
    /// Nothing measured yet; what is compared, in a sentence.
    pub fn new(about: impl Into<String>, rounds: usize) -> Self {
        Self {
            about: about.into(),
            rounds,
            figures: Vec::new(),
            targets: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, key: impl Into<String>, unit: &'static str, samples: Samples) {
        let key = key.into();
        self.figures.push(Figure { key, unit, samples });
    }

    /// Adds a figure that was measured once.
    pub fn once(&mut self, key: impl Into<String>, unit: &'static str, value: f64) {
        self.figure(key, unit, Samples::new(vec![value]));
    }

    /// Adds the ratio of two sides, round by round.
    pub fn ratio(&mut self, key: impl Into<String>, ours: &Samples, theirs: &Samples) {
        let rounds = ours.all().iter().zip(theirs.all());
        let ratios = rounds.map(|(ours, theirs)| ours / theirs).collect();
        self.figure(key, "×", Samples::new(ratios));
    }

    /// The median of a figure, where it was measured.
    pub fn median(&self, key: &str) -> Option<f64> {
        let figure = self.figures.iter().find(|figure| figure.key == key)?;
        Some(figure.samples.median())
    }

    /// Says what a figure should be, where it was measured.
    pub fn target(&mut self, key: impl Into<String>, bound: Bound) {
        let key = key.into();
        if let Some(value) = self.median(&key) {
            self.targets.push(Target { key, value, bound });
        }
    }

    /// Adds what a reader has to know.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// All of it; each figure's median stands at the top by its key.
    pub fn document(&self, name: &str) -> Value {
        let mut document = Map::new();
        document.insert("benchmark".to_owned(), json!(name));
        document.insert("about".to_owned(), json!(self.about));
        document.insert("machine".to_owned(), json!(Machine::here()));
        document.insert("rounds".to_owned(), json!(self.rounds));
        for figure in &self.figures {
            document.insert(figure.key.clone(), json!(figure.samples.median()));
        }
        let targets = self.targets.iter().map(|target| {
            let (bound, limit) = match target.bound {
                Bound::AtLeast(limit) => ("at_least", limit),
                Bound::AtMost(limit) => ("at_most", limit),
            };
            let met = target.bound.is_kept(target.value);
            json!({"key": target.key, "value": target.value, bound: limit, "met": met})
        });
        document.insert("targets".to_owned(), targets.collect());
        let samples = self.figures.iter().map(|figure| {
            json!({"key": figure.key, "unit": figure.unit, "samples": figure.samples.all()})
        });
        document.insert("samples".to_owned(), samples.collect());
        document.insert("notes".to_owned(), json!(self.notes));
        Value::Object(document)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {} rounds.\n{}",
            self.about,
            self.rounds,
            Machine::here()
        )?;
        let width = self.figures.iter().map(|figure| figure.key.len()).max();
        let width = width.unwrap_or_default();
        writeln!(
            f,
            "{:width$}  {:>12}  {:>12}  {:>12}",
            "", "median", "least", "most"
        )?;
        for figure in &self.figures {
            let (least, most) = figure.samples.range();
            let median = figure.samples.median();
            writeln!(
                f,
                "{:width$}  {:>12}  {:>12}  {:>12}  {}",
                figure.key,
                shown(median),
                shown(least),
                shown(most),
                figure.unit
            )?;
        }
        for target in &self.targets {
            let (words, limit) = match target.bound {
                Bound::AtLeast(limit) => ("at least", limit),
                Bound::AtMost(limit) => ("at most", limit),
            };
            let (key, value) = (&target.key, shown(target.value));
            let limit = shown(limit);
            match target.bound.is_kept(target.value) {
                true => writeln!(f, "met      {key}: {value}, {words} {limit} wanted")?,
                false => writeln!(f, "NOT MET  {key}: {value}, {words} {limit} wanted")?,
            }
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

/// A number with as many digits as say something.
fn shown(value: f64) -> String {
    match value.abs() {
        1_000.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.01.. => format!("{value:.3}"),
        _ => format!("{value:.6}"),
    }
}
