//! Signing in: a form that takes the token, and gives a browser a session for it.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use common::time::Nanos;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::answer;
use super::guard::{COOKIE_NAME, Guard, SIGN_IN};
use super::token::SESSION_SECONDS;

/// What the form sends.
#[derive(Deserialize)]
pub struct Shown {
    token: String,
}

/// The form, and what was wrong with what it sent before.
pub fn form(wrong: Option<&str>) -> axum::response::Html<String> {
    answer::html(page(wrong))
}

fn page(wrong: Option<&str>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Sign in · Backhaul" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
            }
            body.sign-in {
                main {
                    h1 { "Backhaul" }
                    form method="post" action=(SIGN_IN) {
                        label for="token" { "Token" }
                        input #token name="token" type="password" required autofocus
                            autocomplete="current-password" aria-describedby="hint";
                        @if let Some(wrong) = wrong {
                            p.wrong role="alert" { (wrong) }
                        }
                        button type="submit" { "Sign in" }
                        p #hint.quiet { "What " code { "BACKHAUL_SERVE_TOKEN" } " holds where " code { "scheduler serve" } " runs." }
                    }
                }
            }
        }
    }
}

/// `GET /sign-in`.
pub async fn ask(State(guard): State<Arc<Guard>>) -> Response {
    match guard.token {
        Some(_) => form(None).into_response(),
        None => Redirect::to("/").into_response(),
    }
}

/// `POST /sign-in`.
pub async fn take(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    shown: Result<Form<Shown>, FormRejection>,
) -> Response {
    let Some(check) = &guard.token else {
        return Redirect::to("/").into_response();
    };
    let Ok(Form(shown)) = shown else {
        return (StatusCode::BAD_REQUEST, form(Some("No token was sent."))).into_response();
    };
    if let Err(seconds) = check.try_once() {
        let wrong = format!("Too many tries: wait {seconds} seconds.");
        let headers = [(RETRY_AFTER, seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, headers, form(Some(&wrong))).into_response();
    }
    if !check.is_token(shown.token.trim()) {
        return (StatusCode::FORBIDDEN, form(Some("This is not the token."))).into_response();
    }
    check.forget_tries();
    let session = check.session(Nanos::now());
    let cookie = cookie(&session, is_encrypted(&headers));
    let headers = [(SET_COOKIE, cookie), (LOCATION, "/".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn cookie(session: &str, is_encrypted: bool) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    format!(
        "{COOKIE_NAME}={session}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Whether a proxy before us says that the browser's way to it is encrypted.
fn is_encrypted(headers: &HeaderMap) -> bool {
    let said = headers.get("x-forwarded-proto");
    said.is_some_and(|protocol| protocol == "https")
}
