//! `symbology.resolve`.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::json;

use crate::{
    answer,
    parameters::{Parameters, Symbols},
    query::available,
    refusal::Refusal,
    server::Service,
    symbology,
};

/// Resolves symbols over dates, the end exclusive.
pub(crate) fn resolve(
    service: &Service,
    parameters: &Parameters,
) -> Result<Response<Body>, Refusal> {
    let history = service.history.as_ref();
    let dataset = parameters.required("dataset")?;
    available(history, dataset)?;
    let (stype_in, stype_out) = (parameters.stype_in()?, parameters.stype_out()?);
    let symbols = parameters.symbols(stype_in)?;
    let days = parameters.date_range()?;
    if days.is_empty() {
        let message = format!(
            "`start_date` {} is on or after `end_date` {}.",
            days.first, days.end
        );
        return Err(Refusal::business(
            422,
            "data_time_range_start_on_or_after_end",
            message,
        ));
    }
    let resolution = symbology::resolve(history, dataset, (stype_in, stype_out), &symbols, days)?;
    let (message, status) = match (resolution.is_whole(), resolution.mappings.is_empty()) {
        (_, true) => ("Not found", 2),
        (true, false) => ("OK", 0),
        (false, false) => ("Partially resolved", 1),
    };
    let asked = match &symbols {
        Symbols::All => vec!["ALL_SYMBOLS".to_owned()],
        Symbols::Some(symbols) => symbols.clone(),
    };
    let mut response = answer::json(&json!({
        "result": resolution.result(stype_out),
        "symbols": asked,
        "stype_in": stype_in.to_string(),
        "stype_out": stype_out.to_string(),
        "start_date": days.first.to_string(),
        "end_date": days.end.to_string(),
        "partial": resolution.partial,
        "not_found": resolution.not_found,
        "message": message,
        "status": status,
    }));
    if status == 1 {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}
