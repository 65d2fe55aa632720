//! Traces of a program that was built without them: none, at no cost.

use std::sync::Once;
use std::time::Duration;

use common::chunk::JobId;
use common::configuration::settings::environment::of_traces;
use common::store::{Claim, Traced};

use super::wanted::{Wanted, wanted};

/// A span that is none.
#[derive(Clone, Debug, Default)]
pub struct Span(());

/// Says once where traces are asked for, that there are none.
pub fn begin(_service: &'static str) {
    static SAID: Once = Once::new();
    if wanted(of_traces) != Wanted::No {
        SAID.call_once(|| {
            tracing::warn!(
                "OpenTelemetry's variables ask for traces, and this program was built without: \
                 build it with --features otel"
            );
        });
    }
}

/// Sends what was not sent yet.
pub async fn end() {}

/// Whether anything is traced.
#[must_use]
pub fn is_on() -> bool {
    false
}

impl Span {
    /// The first of a trace.
    #[must_use]
    pub fn root(_name: &'static str) -> Self {
        Self(())
    }

    /// An attempt at a chunk, and the time that it waited in the queue.
    pub(crate) fn of_attempt(_claim: &Claim, _worker: &str, _traced: Option<&Traced>) -> Self {
        Self(())
    }

    /// A part of it, which begins now.
    #[must_use]
    pub fn child(&self, _name: &'static str) -> Self {
        Self(())
    }

    /// Notes a number.
    pub fn number(&self, _key: &'static str, _number: u64) {}

    /// Notes a text.
    pub fn text(&self, _key: &'static str, _text: &str) {}

    /// Notes that it failed, and why.
    pub fn failed(&self, _reason: &str) {}

    /// Ends it.
    pub fn end(&self) {}

    /// Its W3C context, to go on from elsewhere.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        None
    }

    /// Its trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        None
    }

    /// Does work within it.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        work.await
    }
}

/// The trace of a job whose chunks were worked on here.
pub(crate) fn id_of(_job: JobId) -> Option<String> {
    None
}

/// Takes the span that is current along into another task.
pub(crate) fn carried<F: Future>(work: F) -> F {
    work
}

/// A stage of the current attempt went through.
pub(crate) fn stage(_name: &'static str, _took: Duration) {}

/// A stage of the current attempt failed.
pub(crate) fn stage_failed(_name: &'static str, _took: Duration, _reason: &str) {}

/// Notes a number of the current attempt.
pub(crate) fn note(_key: &'static str, _number: u64) {}

/// What the current attempt came to, and why it failed.
pub(crate) fn came_to(_outcome: &'static str, _error: Option<&str>) {}
