//! From a request to its answer: who asks, what goes wrong, and which method it is.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Method, Response, header},
};
use serde_json::Value;

use crate::{
    authentication::authenticate,
    barrier,
    clock::DayRange,
    endpoints::{metadata, symbology, timeseries},
    fault::FaultKind,
    faults::{Asked, Struck},
    parameters::Parameters,
    refusal::Refusal,
    requests::Entry,
    server::{Call, Service},
};

const PREFIX: &str = "/v0/";

/// What proxies on the way say instead of the service.
const BODY_TEXT: &str = "upstream connect error or disconnect/reset before headers";
const BODY_HTML: &str =
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>502 Bad Gateway</body>\n</html>\n";

/// Answers a request for one of the vendor's methods.
pub(crate) async fn answer(
    service: &Arc<Service>,
    call: &Call,
    entry: &Entry,
) -> Result<Response<Body>, Refusal> {
    authenticate(&call.headers, service.key.as_deref())?;
    let fault = strike(service, call, entry).await?;
    if !matches!(call.method, Method::GET | Method::POST) {
        return Err(Refusal::plain(405, "Method Not Allowed"));
    }
    check_barriers(service, call, entry)?;
    let method = call.path.strip_prefix(PREFIX).unwrap_or_default();
    let parameters = &call.parameters;
    let value = match method {
        "timeseries.get_range" => {
            return timeseries::get_range(service, call, entry, fault.as_ref()).await;
        }
        "metadata.list_publishers" => metadata::list_publishers(),
        "metadata.list_datasets" => metadata::list_datasets(service, parameters)?,
        "metadata.list_schemas" => metadata::list_schemas(service, parameters)?,
        "metadata.list_fields" => metadata::list_fields(parameters)?,
        "metadata.list_unit_prices" => metadata::list_unit_prices(service, parameters)?,
        "metadata.get_dataset_condition" => metadata::get_dataset_condition(service, parameters)?,
        "metadata.get_dataset_range" => metadata::get_dataset_range(service, parameters)?,
        "metadata.get_record_count" => {
            metadata::get_record_count(service, parameters, fault.as_ref()).await?
        }
        "metadata.get_billable_size" => metadata::get_billable_size(service, parameters).await?,
        "metadata.get_cost" => metadata::get_cost(service, parameters).await?,
        "symbology.resolve" => return symbology::resolve(service, parameters),
        _ => return Err(Refusal::plain(404, "Not Found")),
    };
    Ok(json(&value))
}

/// A JSON answer with status 200.
pub(crate) fn json(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// Lets the faults in force strike: waits, refuses, or returns the one that spoils the answer.
async fn strike(service: &Service, call: &Call, entry: &Entry) -> Result<Option<Struck>, Refusal> {
    let asked = Asked {
        path: &call.path,
        dataset: call.parameters.get("dataset"),
        schema: call.parameters.get("schema"),
        days: days_asked(&call.parameters),
    };
    let mut spoiling = None;
    for struck in service.faults.strike(&asked) {
        entry.set_fault(struck.kind);
        if struck.kind == FaultKind::Latency {
            tokio::time::sleep(Duration::from_secs_f64(struck.seconds.unwrap_or(1.0))).await;
        } else {
            spoiling = Some(struck);
        }
    }
    match spoiling.as_ref().and_then(refusal) {
        Some(refusal) => Err(refusal),
        None => Ok(spoiling),
    }
}

/// Refuses a request for records that reaches across a barrier.
fn check_barriers(service: &Service, call: &Call, entry: &Entry) -> Result<(), Refusal> {
    let parameters = &call.parameters;
    let asked = || {
        let (start, end) = parameters.time_range().ok()?;
        Some(barrier::Asked {
            path: &call.path,
            dataset: parameters.get("dataset")?,
            schema: parameters.get("schema")?,
            start,
            end,
        })
    };
    let Some(asked) = asked() else {
        return Ok(());
    };
    let Some(available) = service.history.available(asked.dataset) else {
        return Ok(());
    };
    for fault in service.faults.all() {
        if let Some(refusal) = barrier::refusal(&fault, &asked, &available) {
            entry.set_fault(fault.kind);
            return Err(refusal);
        }
    }
    Ok(())
}

fn days_asked(parameters: &Parameters) -> Option<DayRange> {
    let times = parameters
        .time_range()
        .ok()
        .map(|(start, end)| DayRange::touched_by(start, end));
    times.or_else(|| parameters.date_range().ok())
}

/// The refusal that a fault makes of any request.
fn refusal(struck: &Struck) -> Option<Refusal> {
    match struck.kind {
        FaultKind::RateLimit => Some(Refusal::RateLimit {
            retry_after_seconds: whole(struck.seconds.unwrap_or(1.0)),
        }),
        FaultKind::Refusal => {
            let refused = struck.refusal.as_ref()?;
            Some(refused.answer(struck.seconds.map(whole)))
        }
        FaultKind::Unauthorized => Some(Refusal::bad_key()),
        FaultKind::InsufficientFunds => Some(Refusal::business(
            402,
            "account_insufficient_funds",
            "The account has insufficient funds for this request.",
        )),
        FaultKind::ServerErrorText => Some(Refusal::Foreign {
            status: 503,
            content_type: "text/plain",
            body: BODY_TEXT,
        }),
        FaultKind::ServerErrorHtml => Some(Refusal::Foreign {
            status: 502,
            content_type: "text/html",
            body: BODY_HTML,
        }),
        _ => None,
    }
}

/// Seconds as a header says them, rounded up.
fn whole(seconds: f64) -> u64 {
    let seconds = Duration::from_secs_f64(seconds);
    seconds.as_secs() + u64::from(seconds.subsec_nanos() > 0)
}
