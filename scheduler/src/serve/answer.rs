//! Answers: pages and JSON as HTTP, and refusals as whoever asked can read them.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use common::configuration::document::Refusal;
use maud::Markup;
use serde_json::json;

/// A page.
pub fn html(markup: Markup) -> Html<String> {
    Html(markup.into_string())
}

/// A document.
pub fn document(text: impl Into<Bytes>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}

/// A refusal: as JSON below `/api`, else as a line of text.
pub fn refused(path: &str, status: StatusCode, message: &str, help: &str) -> Response {
    match path.starts_with("/api") {
        true => {
            let body = json!({ "error": message, "help": help });
            (status, document(format!("{body}\n"))).into_response()
        }
        false => (status, format!("{message}: {help}\n")).into_response(),
    }
}

/// A question that can't be answered, and why.
pub fn bad_request(refusal: &Refusal) -> Response {
    let message = format!("{}: {}", refusal.origin, refusal.message);
    let help = refusal.help.as_deref().unwrap_or_default();
    refused("/api", StatusCode::BAD_REQUEST, &message, help)
}
