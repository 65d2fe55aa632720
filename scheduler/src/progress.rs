//! Progress: bars on a terminal, a log line for each chunk where stderr is piped.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use common::store::SchemaStatus;
use common::time::DayRange;
use dbn::Schema;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc;
use tracing::Span;
use worker::environment::{Event, Outcome};
use worker::log;

/// What was seen of a run.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Seconds of work, by schema, over all slots.
    pub seconds: HashMap<Schema, f64>,
    /// Chunks that were read from the archive instead of the vendor.
    pub from_archive: u64,
    /// Why paid work was paused, or the process could not go on.
    pub stopped: Option<String>,
}

/// Follows a run's events until there are no more; `worker` is who works, for the log.
pub async fn follow(
    schemas: &[SchemaStatus],
    mut events: mpsc::Receiver<Event>,
    worker: Arc<str>,
) -> Seen {
    let mut seen = Seen::default();
    let mut view = View::new(schemas, worker);
    while let Some(event) = events.recv().await {
        match event {
            Event::Started { schema, days, .. } => view.started(schema, days),
            Event::Settled {
                schema,
                ref outcome,
                seconds,
                ..
            } => {
                *seen.seconds.entry(schema).or_default() += seconds;
                if let Outcome::Done { from_archive, .. } = outcome {
                    seen.from_archive += u64::from(*from_archive);
                }
                view.settled(&event, schema, outcome);
            }
            Event::Paused { reason } => {
                view.bars.say(&format!("paused: {reason}"));
                seen.stopped = Some(reason);
            }
            Event::Failed { reason } => {
                view.bars.say(&format!("can't go on: {reason}"));
                seen.stopped = Some(reason);
            }
        }
    }
    view.bars.end();
    seen
}

/// Shows on a terminal that a plan is being made, while it lives: counts come at the vendor's pace.
#[derive(Debug)]
pub struct Planning(ProgressBar);

impl Planning {
    /// Begins to show it.
    #[must_use]
    pub fn begin() -> Self {
        if !std::io::stderr().is_terminal() {
            tracing::info!("planning: asking what there is");
            return Self(ProgressBar::hidden());
        }
        let spinner = ProgressBar::new_spinner().with_message("planning: asking what there is");
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self(spinner)
    }
}

impl Drop for Planning {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar for each schema, where stderr is a terminal.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    by_schema: HashMap<Schema, ProgressBar>,
    terminal: bool,
}

impl Bars {
    /// Begins to show how far the schemas are.
    #[must_use]
    pub fn new(schemas: &[SchemaStatus]) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let all = MultiProgress::new();
        let mut by_schema = HashMap::new();
        for status in schemas.iter().filter(|_| terminal) {
            let chunks = status.chunks;
            let bar = all.add(ProgressBar::new(chunks.total));
            bar.set_style(style());
            bar.set_prefix(status.schema.as_str());
            bar.set_position(chunks.done + chunks.empty);
            by_schema.insert(status.schema, bar);
        }
        Self {
            all,
            by_schema,
            terminal,
        }
    }

    /// Whether there are bars to see.
    #[must_use]
    pub fn are_seen(&self) -> bool {
        self.terminal
    }

    /// Shows how far the schemas are by now.
    pub fn show(&self, schemas: &[SchemaStatus]) {
        for status in schemas {
            if let Some(bar) = self.by_schema.get(&status.schema) {
                let chunks = status.chunks;
                bar.set_length(chunks.total);
                bar.set_position(chunks.done + chunks.empty);
                let records = thousands(status.records.loaded);
                bar.set_message(format!("{records} records"));
            }
        }
    }

    /// Says something: above the bars, or in the log.
    pub fn say(&self, line: &str) {
        if self.terminal {
            // A terminal that went away is no reason to stop.
            let _gone = self.all.println(line);
        } else {
            tracing::info!("{line}");
        }
    }

    /// Leaves the bars as they are.
    pub fn end(&self) {
        for bar in self.by_schema.values() {
            bar.abandon();
        }
    }
}

struct View {
    bars: Bars,
    worker: Arc<str>,
    /// Records loaded, by schema.
    records: HashMap<Schema, u64>,
    settled: u64,
    total: u64,
}

impl View {
    fn new(schemas: &[SchemaStatus], worker: Arc<str>) -> Self {
        let open = schemas.iter().map(|status| status.chunks);
        let loaded = schemas.iter();
        Self {
            bars: Bars::new(schemas),
            worker,
            records: loaded
                .map(|status| (status.schema, status.records.loaded))
                .collect(),
            settled: 0,
            total: open.map(|chunks| chunks.pending + chunks.running).sum(),
        }
    }

    fn started(&self, schema: Schema, days: DayRange) {
        if let Some(bar) = self.bars.by_schema.get(&schema) {
            let records = self.records.get(&schema).copied().unwrap_or_default();
            bar.set_message(format!("{} records, at {days}", thousands(records)));
        }
    }

    fn settled(&mut self, event: &Event, schema: Schema, outcome: &Outcome) {
        let finished = matches!(
            outcome,
            Outcome::Done { .. } | Outcome::Empty | Outcome::Gap { .. } | Outcome::Dead { .. }
        );
        self.settled += u64::from(finished);
        let records = self.records.entry(schema).or_default();
        if let Outcome::Done { records: more, .. } = outcome {
            *records += more;
        }
        if let Some(bar) = self.bars.by_schema.get(&schema) {
            bar.set_message(format!("{} records", thousands(*records)));
            if finished {
                bar.inc(1);
            }
        }
        let noteworthy = matches!(outcome, Outcome::Retry { .. } | Outcome::Dead { .. });
        // Said every second it would tell nothing new.
        let told = !self.bars.terminal && *outcome != Outcome::Waits;
        if told || noteworthy {
            let line = self.line(event);
            self.span(event).in_scope(|| self.bars.say(&line));
        }
    }

    /// Whose the line is that tells an event, where it becomes one of the log.
    fn span(&self, event: &Event) -> Span {
        match event {
            Event::Settled {
                job,
                chunk,
                attempt,
                ..
            } if !self.bars.terminal => log::of_chunk(*job, *chunk, *attempt, &self.worker),
            _ => Span::none(),
        }
    }

    fn line(&self, event: &Event) -> String {
        let Event::Settled {
            chunk,
            schema,
            days,
            outcome,
            seconds,
            ..
        } = event
        else {
            return String::new();
        };
        let what = match outcome {
            Outcome::Done {
                records,
                from_archive,
            } => {
                let source = if *from_archive {
                    " from the archive"
                } else {
                    ""
                };
                format!("done, {} records{source}", thousands(*records))
            }
            Outcome::Empty => "empty".to_owned(),
            Outcome::Retry { error } => format!("to be tried again: {error}"),
            Outcome::Waits => "waits for a stream that is being fetched".to_owned(),
            Outcome::NotYet { error } => format!("not yet: {error}"),
            Outcome::Gap { reason } => format!("a known gap: {reason}"),
            Outcome::Dead { error } => format!("dead: {error}"),
            Outcome::HandedBack => "handed back".to_owned(),
        };
        let (settled, total) = (self.settled, self.total);
        format!("{settled}/{total} chunk {chunk} {schema} {days}: {what} ({seconds:.2} s)")
    }
}

fn style() -> ProgressStyle {
    let template = "{prefix:>12} {bar:30} {pos:>5}/{len:<5} chunks  {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A number with its thousands apart: 1,234,567.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something, in words: 1 record, 1,234 records.
pub fn counted(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {what}{ending}", thousands(number))
}
