//! What is measured: each metric's name, kind, labels and meaning, and how it is counted.
//!
//! A worker tells what it did itself, since it began; `scheduler serve` tells what the database and
//! Redis say. No metric that is summed over processes is told by both. Labels are bounded: no symbol,
//! job or chunk is one. Where nobody listens to metrics, counting costs next to nothing.

mod names;

use metrics::{Label, SharedString, counter, gauge, histogram};

pub use names::*;

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// Its labels, in the order in which values are given.
    pub labels: &'static [Dimension],
    /// Who tells it.
    pub told_by: ToldBy,
    /// What it says, with its unit.
    pub meaning: &'static str,
}

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows, from 0 at the start of a process.
    Counter,
    /// It is what it is now.
    Gauge,
    /// How many values were at most as great as each of these.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Its name in Prometheus.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// A label, and what its values are.
#[derive(Debug)]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    /// Its values: all of them, or what they are.
    pub values: &'static str,
}

/// Who tells a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// Each worker, of its own work.
    Worker,
    /// `scheduler serve`, of the installation.
    Serve,
    /// Both, each for itself.
    Both,
}

impl Metric {
    /// Adds to a counter.
    pub fn add<V: Into<SharedString>, const N: usize>(&self, count: u64, values: [V; N]) {
        counter!(self.name, self.labelled(values)).increment(count);
    }

    /// Sets a gauge.
    pub fn set<V: Into<SharedString>, const N: usize>(&self, value: f64, values: [V; N]) {
        gauge!(self.name, self.labelled(values)).set(value);
    }

    /// Takes a value into a histogram.
    pub fn observe<V: Into<SharedString>, const N: usize>(&self, value: f64, values: [V; N]) {
        histogram!(self.name, self.labelled(values)).record(value);
    }

    fn labelled<V: Into<SharedString>, const N: usize>(&self, values: [V; N]) -> Vec<Label> {
        debug_assert_eq!(N, self.labels.len(), "{}", self.name);
        let labels = self.labels.iter().zip(values);
        labels
            .map(|(label, value)| Label::new(label.name, value))
            .collect()
    }
}

/// No values: for metrics without labels.
pub const UNLABELLED: [&str; 0] = [];

/// A count as a gauge takes it: exact below 2^53.
#[must_use]
pub fn gauged(count: u64) -> f64 {
    count as f64
}
