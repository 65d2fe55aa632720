//! Traces, sent by OpenTelemetry's protocol over HTTP.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::chunk::JobId;
use common::configuration::settings::environment::of_traces;
use common::store::{Claim, Traced};
use common::time::Nanos;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    FutureExt, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::sender::Sender;
use super::wanted::{Wanted, wanted};

/// How long the last spans may take at the end: within the grace that every worker has.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Jobs whose traces are remembered for the log.
const JOBS_MAX: usize = 1_000;
/// Characters of an error that a span carries.
const ERROR_MAX: usize = 1_000;
/// The variables that name a protocol, of which this program knows one.
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
/// The header's name that W3C gave the context.
const TRACEPARENT: &str = "traceparent";

static EXPORT: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();
static JOBS: Mutex<Option<HashMap<JobId, String>>> = Mutex::new(None);

/// A span, where something is traced.
#[derive(Clone, Debug, Default)]
pub struct Span(Option<Context>);

/// Begins to trace where the environment asks for it; once in a process. Within the runtime that sends.
pub fn begin(service: &'static str) {
    match wanted(of_traces) {
        Wanted::No => return,
        Wanted::Elsewhere(name) => {
            tracing::warn!(
                name,
                "OTEL_TRACES_EXPORTER names what traces can't go to: otlp or none"
            );
            return;
        }
        Wanted::Yes => {}
    }
    if EXPORT.get().is_some() {
        return;
    }
    let protocol = PROTOCOLS.into_iter().find_map(of_traces);
    if let Some(name) = protocol.filter(|name| name != "http/protobuf") {
        tracing::warn!(
            name,
            "traces are sent as http/protobuf, and by no other protocol"
        );
    }
    match provider(service) {
        Some(provider) => {
            let tracer = provider.tracer("backhaul");
            let _another_was_first = EXPORT.set((provider, tracer));
        }
        // Without the address: it may hold a password.
        None => tracing::warn!(
            "nothing is traced: OpenTelemetry's variables can't be used as they are; write for example \
             OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318, and no compression"
        ),
    }
}

/// Sends what was not sent yet, for two seconds at most.
pub async fn end() {
    if let Some((provider, _)) = EXPORT.get() {
        let flush = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(FLUSH_MAX));
        // The receiver may be away: then the rest is lost, and nothing else.
        let _lost = tokio::time::timeout(2 * FLUSH_MAX, flush).await;
    }
}

/// Whether anything is traced.
#[must_use]
pub fn is_on() -> bool {
    EXPORT.get().is_some()
}

fn provider(service: &'static str) -> Option<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new().ok()?)
        .with_protocol(Protocol::HttpBinary)
        .build()
        .ok()?;
    let mut resource = Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    if let Some(name) = of_traces("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name(name);
    }
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build());
    Some(provider.build())
}

impl Span {
    /// The first of a trace.
    #[must_use]
    pub fn root(name: &'static str) -> Self {
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Producer);
        Self::start(builder, &Context::new())
    }

    /// An attempt at a chunk, and the time that it waited in the queue.
    pub(crate) fn of_attempt(claim: &Claim, worker: &str, traced: Option<&Traced>) -> Self {
        let chunk = &claim.chunk;
        let traceparent = traced.and_then(|traced| traced.traceparent.as_deref());
        let parent = traceparent.map_or_else(Context::new, context_of);
        let attributes = vec![
            KeyValue::new("backhaul.job", chunk.job.0),
            KeyValue::new("backhaul.chunk", chunk.id.0),
            KeyValue::new("backhaul.attempt", claim.epoch),
            KeyValue::new("backhaul.schema", chunk.schema.as_str()),
            KeyValue::new("backhaul.dataset", chunk.dataset.clone()),
            KeyValue::new("backhaul.worker", worker.to_owned()),
        ];
        let now = Nanos::now();
        if let (Some(traced), true) = (traced, parent.has_active_span()) {
            // The clocks of two machines may differ.
            let since = system_time(traced.due_at.min(now));
            let waiting = SpanBuilder::from_name("queue")
                .with_start_time(since)
                .with_attributes(attributes.clone());
            let waited = Self::start(waiting, &parent);
            waited.end_at(system_time(now));
            remember(chunk.job, waited.trace_id());
        }
        let builder = SpanBuilder::from_name("chunk")
            .with_kind(SpanKind::Consumer)
            .with_attributes(attributes);
        Self::start(builder, &parent)
    }

    fn start(builder: SpanBuilder, parent: &Context) -> Self {
        Self(EXPORT.get().map(|(_, tracer)| {
            let span = tracer.build_with_context(builder, parent);
            parent.with_span(span)
        }))
    }

    /// A part of it, which begins now.
    #[must_use]
    pub fn child(&self, name: &'static str) -> Self {
        match &self.0 {
            Some(context) => Self::start(SpanBuilder::from_name(name), context),
            None => Self(None),
        }
    }

    /// Notes a number.
    pub fn number(&self, key: &'static str, number: u64) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(of_number(key, number));
        }
    }

    /// Notes a text.
    pub fn text(&self, key: &'static str, text: &str) {
        if let Some(context) = &self.0 {
            let text = KeyValue::new(key, text.to_owned());
            context.span().set_attribute(text);
        }
    }

    /// Notes that it failed, and why.
    pub fn failed(&self, reason: &str) {
        if let Some(context) = &self.0 {
            context.span().set_status(error(reason));
        }
    }

    /// Ends it.
    pub fn end(&self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }

    fn end_at(&self, when: SystemTime) {
        if let Some(context) = &self.0 {
            context.span().end_with_timestamp(when);
        }
    }

    /// Its W3C context, to go on from elsewhere.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let context = self.0.as_ref()?;
        let mut headers = HashMap::new();
        TraceContextPropagator::new().inject_context(context, &mut headers);
        headers.remove(TRACEPARENT)
    }

    /// Its trace, where that is kept: a sampler may have decided otherwise.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let context = self.0.as_ref()?;
        let span = context.span();
        let known = span.span_context();
        known.is_sampled().then(|| known.trace_id().to_string())
    }

    /// Does work within it.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(context) => work.with_context(context.clone()).await,
            None => work.await,
        }
    }
}

/// The trace of a job whose chunks were worked on here.
pub(crate) fn id_of(job: JobId) -> Option<String> {
    if !is_on() {
        return None;
    }
    let jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.as_ref()?.get(&job).cloned()
}

fn remember(job: JobId, id: Option<String>) {
    let mut jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
    let jobs = jobs.get_or_insert_default();
    if jobs.len() >= JOBS_MAX {
        jobs.clear();
    }
    if let Some(id) = id {
        jobs.insert(job, id);
    }
}

/// Takes the span that is current along into another task.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work.with_current_context()
}

/// A stage of the current attempt went through.
pub(crate) fn stage(name: &'static str, took: Duration) {
    let _ended = stage_of_current(name, took, Status::Unset);
}

/// A stage of the current attempt failed.
pub(crate) fn stage_failed(name: &'static str, took: Duration, reason: &str) {
    let _ended = stage_of_current(name, took, error(reason));
}

/// A span that ends now, below the current one; none where nothing is traced.
fn stage_of_current(name: &'static str, took: Duration, status: Status) -> Option<()> {
    let parent = Context::current();
    if !parent.has_active_span() {
        return None;
    }
    let end = system_time(Nanos::now());
    let begin = end.checked_sub(took)?;
    let builder = SpanBuilder::from_name(name).with_start_time(begin);
    let span = Span::start(builder, &parent);
    span.0.as_ref()?.span().set_status(status);
    span.end_at(end);
    Some(())
}

/// Notes a number of the current attempt.
pub(crate) fn note(key: &'static str, number: u64) {
    Context::current()
        .span()
        .set_attribute(of_number(key, number));
}

/// What the current attempt came to, and why it failed.
pub(crate) fn came_to(outcome: &'static str, reason: Option<&str>) {
    let current = Context::current();
    let span = current.span();
    span.set_attribute(KeyValue::new("backhaul.outcome", outcome));
    if let Some(reason) = reason {
        span.set_status(error(reason));
    }
}

/// What was noted of a trace elsewhere; a context that is none begins a trace of its own.
fn context_of(traceparent: &str) -> Context {
    let headers = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &headers)
}

fn of_number(key: &'static str, number: u64) -> KeyValue {
    KeyValue::new(key, i64::try_from(number).unwrap_or(i64::MAX))
}

fn error(reason: &str) -> Status {
    Status::error(reason.chars().take(ERROR_MAX).collect::<String>())
}

fn system_time(instant: Nanos) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(instant.0.max(0).unsigned_abs())
}
