//! What a browser needs beside the page: a stylesheet, a script and an icon, compiled in.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// `/page.css`.
pub async fn stylesheet() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("assets/page.css"))
}

/// `/page.js`.
pub async fn script() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let text = concat!(
        include_str!("assets/page.js"),
        include_str!("assets/map.js")
    );
    (kind, text)
}

/// `/icon.svg`.
pub async fn icon() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "image/svg+xml")];
    (kind, include_str!("assets/icon.svg"))
}
