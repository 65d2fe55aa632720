//! The listening server: connections, and what every answer shares.

pub(crate) mod connection;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, Response},
    response::IntoResponse,
};

use self::connection::Breaker;
use crate::{
    answer::answer,
    faults::Faults,
    history::History,
    parameters::Parameters,
    refusal::Refusal,
    requests::{Entry, Requests},
};

/// A form of 2,000 symbols is far smaller.
const FORM_BYTES_MAX: usize = 1 << 20;

/// All that answers are made from.
pub(crate) struct Service {
    pub(crate) history: Box<dyn History>,
    pub(crate) key: Option<String>,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    pub(crate) answered: AtomicU64,
}

/// A request, read.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The whole path, such as `/v0/metadata.get_cost`.
    pub(crate) path: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) parameters: Parameters,
    /// The body as it came, which only faults read so.
    pub(crate) body: bytes::Bytes,
    pub(crate) breaker: Breaker,
}

/// The routes: one function answers everything.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(serve).with_state(service)
}

async fn serve(
    State(service): State<Arc<Service>>,
    Extension(breaker): Extension<Breaker>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, FORM_BYTES_MAX).await else {
        return Refusal::plain(413, "Request body too large").into_response();
    };
    let is_form = head.method == Method::POST && !head.uri.path().starts_with("/sim/");
    let parameters = Parameters::read(
        head.uri.query().unwrap_or_default(),
        if is_form { &body } else { &[] },
    );
    let path = head.uri.path().to_owned();
    let call = Call {
        method: head.method,
        path,
        headers: head.headers,
        parameters,
        body,
        breaker,
    };
    let mut response = respond(&service, call).await;
    let number = service.answered.fetch_add(1, Ordering::Relaxed);
    if let Ok(id) = HeaderValue::from_str(&format!("{number:032x}")) {
        response.headers_mut().insert("request-id", id);
    }
    response
}

/// The control paths are neither logged nor struck by faults.
async fn respond(service: &Arc<Service>, call: Call) -> Response<Body> {
    if call.path.starts_with("/sim/") {
        return crate::endpoints::control::control(service, &call)
            .unwrap_or_else(Refusal::into_response);
    }
    let entry: Entry = service.requests.begin(&call.path, call.parameters.as_map());
    let response = answer(service, &call, &entry)
        .await
        .unwrap_or_else(Refusal::into_response);
    entry.set_status(response.status().as_u16());
    response.into_response()
}
