//! Signing in: a form that takes the token, and gives a browser a session for it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, FromRequest, Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use common::time::Nanos;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use tokio::time::timeout;

use super::answer;
use super::guard::{COOKIE_NAME, Guard, SIGN_IN};
use super::token::SESSION_SECONDS;

/// How long the form may take to arrive.
const FORM_MAX: Duration = Duration::from_secs(10);
/// Bytes of a window's address that is gone on to; a longer one is forgotten.
const NEXT_MAX: usize = 1000;

/// What the form sends.
#[derive(Deserialize)]
struct Shown {
    token: String,
    /// What follows `/?` in the address that was asked for.
    #[serde(default)]
    next: String,
}

/// The form, what was wrong with what it sent before, and which part of the page is gone on to.
pub fn form(wrong: Option<&str>, next: &str) -> axum::response::Html<String> {
    answer::html(page(wrong, next))
}

fn page(wrong: Option<&str>, next: &str) -> Markup {
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
                        input type="hidden" name="next" value=(kept(next));
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
        Some(_) => form(None, "").into_response(),
        None => Redirect::to("/").into_response(),
    }
}

/// `POST /sign-in`. Tokens may be guessed at as fast as one likes, here as by a header: one of 16
/// characters or more is not found so.
pub async fn take(State(guard): State<Arc<Guard>>, request: Request) -> Response {
    take_within(FORM_MAX, &guard, request).await
}

async fn take_within(form_max: Duration, guard: &Guard, request: Request) -> Response {
    let Some(check) = &guard.token else {
        return Redirect::to("/").into_response();
    };
    let is_encrypted = is_encrypted(request.headers());
    let Ok(shown) = timeout(form_max, Form::<Shown>::from_request(request, &())).await else {
        let form = form(Some("The token took too long to arrive."), "");
        return (StatusCode::REQUEST_TIMEOUT, form).into_response();
    };
    let Ok(Form(Shown { token, next })) = shown else {
        let form = form(Some("No token was sent."), "");
        return (StatusCode::BAD_REQUEST, form).into_response();
    };
    if !check.is_token(token.trim()) {
        let form = form(Some("This is not the token."), &next);
        return (StatusCode::FORBIDDEN, form).into_response();
    }
    let cookie = cookie(&check.session(Nanos::now()), is_encrypted);
    let to = match kept(&next) {
        "" => "/".to_owned(),
        next => format!("/?{next}"),
    };
    (
        StatusCode::SEE_OTHER,
        [(SET_COOKIE, cookie), (LOCATION, to)],
    )
        .into_response()
}

/// What may follow `/?`: nothing leads away from this page, or says more than an address can.
fn kept(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    match is_plain && next.len() <= NEXT_MAX {
        true => next,
        false => "",
    }
}

/// Links from elsewhere bring the session with them: nothing can be changed here.
fn cookie(session: &str, is_encrypted: bool) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    format!(
        "{COOKIE_NAME}={session}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    )
}

/// Whether a proxy before us says that the browser's way to it is encrypted.
fn is_encrypted(headers: &HeaderMap) -> bool {
    let said = headers.get("x-forwarded-proto");
    said.is_some_and(|protocol| protocol == "https")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;
    use common::configuration::settings::ServeToken;

    use super::*;

    #[tokio::test]
    async fn a_form_that_never_comes_to_its_end_is_not_waited_for() {
        let token = ServeToken::new("a-token-of-ours-1").unwrap();
        let guard = Guard::new(Some(&token), ([127, 0, 0, 1], 0).into()).unwrap();
        let stalls = futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        let request = Request::post("/sign-in")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from_stream(stalls))
            .unwrap();
        let answer = take_within(Duration::from_millis(10), &guard, request).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn only_what_follows_the_pages_own_address_is_gone_on_to() {
        assert_eq!(kept("job=1&symbol=ES.c.0"), "job=1&symbol=ES.c.0");
        let long = "x".repeat(NEXT_MAX + 1);
        for strange in ["a b", "a\r\nSet-Cookie: x", "é", &long] {
            assert_eq!(kept(strange), "");
        }
    }
}
