//! A receiver of traces, by OpenTelemetry's protocol over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;

/// What became of a request to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Taken,
    /// It never answers.
    Nothing,
}

/// A span as it was received.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
    /// Why it failed, where it did.
    pub error: Option<String>,
    pub start: u64,
    pub end: u64,
}

/// A receiver on a free port.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Got>>,
}

#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    authorizations: Vec<String>,
    requests: usize,
    is_silent: bool,
}

impl Receiver {
    pub async fn start(answers: Answers) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Got {
            is_silent: answers == Answers::Nothing,
            ..Got::default()
        }));
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&got));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, got }
    }

    pub fn spans(&self) -> Vec<Span> {
        self.got.lock().unwrap().spans.clone()
    }

    pub fn requests(&self) -> usize {
        self.got.lock().unwrap().requests
    }

    pub fn authorizations(&self) -> Vec<String> {
        self.got.lock().unwrap().authorizations.clone()
    }
}

async fn take(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    let is_silent = {
        let mut got = got.lock().unwrap();
        got.requests += 1;
        if let Some(value) = headers.get("authorization") {
            got.authorizations.push(value.to_str().unwrap().to_owned());
        }
        assert_eq!(headers["content-type"], "application/x-protobuf");
        got.spans.extend(spans(&body));
        got.is_silent
    };
    if is_silent {
        std::future::pending::<()>().await;
    }
    Vec::new()
}

fn spans(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut found = Vec::new();
    for of_resource in request.resource_spans {
        let resource = texts(&of_resource.resource.unwrap_or_default().attributes);
        let spans = of_resource.scope_spans.into_iter();
        for span in spans.flat_map(|of_scope| of_scope.spans) {
            let status = span.status.unwrap_or_default();
            found.push(Span {
                service: resource["service.name"].clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                attributes: texts(&span.attributes),
                error: (status.code == 2).then_some(status.message),
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
            });
        }
    }
    found
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let all = attributes.iter();
    all.map(|it| (it.key.clone(), text(&it.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
