//! `timeseries.get_range`.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use dbn::{Compression, Encoding, Metadata, Schema, encode::DbnMetadataEncoder};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    fault::FaultKind,
    faults::Struck,
    history::Slice,
    parameters::{Parameters, Symbols},
    query::Query,
    records::record_size,
    refusal::Refusal,
    requests::Entry,
    server::{Call, Service},
    stream::{Plan, body::body, ending::Ending, frames::Packing, produce, text::TextStyle},
    symbology::Resolution,
};

/// Pieces that wait for a slow receiver at most.
const PIECES_WAITING: usize = 4;

/// What a body is promised to have more than it will ever have.
const SHORT_LENGTH_EXCESS: u64 = 1 << 20;

/// Streams the records of a query.
pub(crate) async fn get_range(
    service: &Arc<Service>,
    call: &Call,
    entry: &Entry,
    fault: Option<&Struck>,
) -> Result<Response<Body>, Refusal> {
    let query = Query::read(&call.parameters, service.history.as_ref())?;
    let packing = packing(&call.parameters)?;
    let resolution = query.resolve(service.history.as_ref())?;
    let slice = query.slice(&resolution, &service.faults);
    let header = header(&query, &resolution, packing)?;
    let total = if Ending::needs_total(fault) {
        query.limited(count(service, &slice).await?)
    } else {
        0
    };
    let plan = Plan {
        source: service.history.open(&slice).map_err(unreadable)?,
        header,
        record_size: record_size(query.schema),
        limit: query.limit.map(Into::into),
        packing,
        ending: Ending::of(fault, total),
    };
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    tokio::task::spawn_blocking(move || produce(plan, &sender));
    let mut response = Response::new(body(receiver, entry.clone(), call.breaker.clone()));
    if !resolution.is_whole() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    set_headers(&mut response, packing, degraded_warning(service, &query));
    if fault.is_some_and(|fault| fault.kind == FaultKind::ShortLength) {
        let size = u64::try_from(record_size(query.schema)).unwrap_or(u64::MAX);
        response.headers_mut().insert(
            header::CONTENT_LENGTH,
            HeaderValue::from(total * size + SHORT_LENGTH_EXCESS),
        );
    }
    Ok(response)
}

/// Counts a slice in a thread where that may take its time.
pub(crate) async fn count(service: &Arc<Service>, slice: &Slice) -> Result<u64, Refusal> {
    let (service, slice) = (Arc::clone(service), slice.clone());
    let counted = tokio::task::spawn_blocking(move || service.history.count(&slice)).await;
    counted
        .map_err(io::Error::other)
        .and_then(|count| count)
        .map_err(unreadable)
}

fn unreadable(error: io::Error) -> Refusal {
    Refusal::plain(500, format!("failed to read the recorded data: {error}"))
}

fn packing(parameters: &Parameters) -> Result<Packing, Refusal> {
    let json = match parameters.encoding()? {
        Encoding::Dbn => None,
        Encoding::Csv => Some(false),
        Encoding::Json => Some(true),
    };
    if json.is_some() && parameters.flag("map_symbols")? {
        return Err(Refusal::field(
            "map_symbols",
            "Symbols can only be mapped by the client here",
            "value_error",
        ));
    }
    let (pretty_px, pretty_ts) = (parameters.flag("pretty_px")?, parameters.flag("pretty_ts")?);
    Ok(Packing {
        zstd: parameters.compression()? == Compression::Zstd,
        text: json.map(|json| TextStyle {
            json,
            pretty_px,
            pretty_ts,
        }),
    })
}

fn header(query: &Query, resolution: &Resolution, packing: Packing) -> Result<Vec<u8>, Refusal> {
    let impossible =
        |error: io::Error| Refusal::plain(500, format!("failed to encode the metadata: {error}"));
    if let Some(style) = packing.text {
        return style.header(query.schema).map_err(impossible);
    }
    let mut encoded = Vec::new();
    DbnMetadataEncoder::new(&mut encoded)
        .encode(&metadata(query, resolution))
        .map_err(|error| impossible(io::Error::other(error)))?;
    Ok(encoded)
}

fn metadata(query: &Query, resolution: &Resolution) -> Metadata {
    let symbols = match &query.symbols {
        Symbols::All => Vec::new(),
        Symbols::Some(symbols) => symbols.clone(),
    };
    Metadata::builder()
        .dataset(&query.dataset)
        .schema(Some(query.schema))
        .start(query.start.0)
        .end(query.end.0.try_into().ok())
        .limit(query.limit)
        .stype_in(Some(query.stype_in))
        .stype_out(query.stype_out)
        .symbols(symbols)
        .partial(resolution.partial.clone())
        .not_found(resolution.not_found.clone())
        .mappings(resolution.symbol_mappings(query.stype_out))
        .build()
}

fn set_headers(response: &mut Response<Body>, packing: Packing, warning: Option<HeaderValue>) {
    let content_type = match packing.text {
        _ if packing.zstd => "application/zstd",
        None => "application/octet-stream",
        Some(TextStyle { json: true, .. }) => "application/x-ndjson",
        Some(_) => "text/csv",
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(warning) = warning {
        response.headers_mut().insert("x-warning", warning);
    }
}

/// What the vendor warns of when a range has degraded days.
fn degraded_warning(service: &Service, query: &Query) -> Option<HeaderValue> {
    let reports = service.faults.reports(&query.dataset);
    let mut days: Vec<_> = reports
        .iter()
        .filter(|(day, report)| report.condition == "degraded" && query.days().contains(**day))
        .map(|(day, _)| format!("{day} (degraded)"))
        .collect();
    days.sort();
    if days.is_empty() || query.schema == Schema::Definition {
        return None;
    }
    let text = format!(
        "BentoWarning: The streaming request contained one or more days which have reduced \
         quality: {}.",
        days.join(", ")
    );
    HeaderValue::from_str(&json!([text]).to_string()).ok()
}
