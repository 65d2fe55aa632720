//! Guard: which questions are answered at all, before anything is looked at; and what every answer says to
//! the browser.
//!
//! Nothing here changes anything, so there is GET alone, and the form that shows the token. On this
//! machine alone, a page of somebody else's that a browser has open could ask under a name of its own that
//! leads here: the name that was asked for must be this machine's. Elsewhere there must be a token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, REFERRER_POLICY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use common::configuration::document::Refusal;
use common::configuration::settings::ServeToken;
use common::time::Nanos;

use super::answer::refused;
use super::sign_in;
use super::token::TokenCheck;

/// The one thing that is posted.
pub const SIGN_IN: &str = "/sign-in";
/// Where a browser keeps its session.
pub const COOKIE_NAME: &str = "backhaul_session";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What every answer says.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// What needs no token: a probe of health tells nothing, and the form needs its looks.
const OPEN: [&str; 5] = ["/healthz", "/readyz", SIGN_IN, "/page.css", "/icon.svg"];

/// Who may ask.
#[derive(Debug)]
pub struct Guard {
    /// What is compared with what is shown; without a token everybody may look.
    pub token: Option<TokenCheck>,
    on_loopback: bool,
}

impl Guard {
    /// For an address.
    ///
    /// # Errors
    /// [`Refusal`] where others than this machine could look without a token.
    pub fn new(token: Option<&ServeToken>, address: SocketAddr) -> Result<Self, Refusal> {
        let on_loopback = address.ip().is_loopback();
        if !on_loopback && token.is_none() {
            let message = format!("others can reach {address}, and there is no token");
            let help = "export BACKHAUL_SERVE_TOKEN=…, of at least 16 characters, for example of \
                        `openssl rand -hex 24`; or listen at 127.0.0.1:8080";
            return Err(Refusal::of(
                "BACKHAUL_SERVE_LISTEN, --listen",
                message,
                help,
            ));
        }
        Ok(Self {
            token: token.map(TokenCheck::new),
            on_loopback,
        })
    }

    /// What is wrong with a question.
    fn refusal(&self, request: &Request) -> Option<Response> {
        let (method, path) = (request.method(), request.uri().path());
        let is_answered = match *method {
            Method::GET | Method::HEAD => true,
            Method::POST => path == SIGN_IN,
            _ => false,
        };
        if !is_answered {
            let help = "nothing can be changed here: `scheduler` has commands for that";
            let mut answer = refused(
                path,
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET is answered",
                help,
            );
            let allowed = HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(ALLOW, allowed);
            return Some(answer);
        }
        if self.on_loopback && !names_this_machine(request) {
            let help = "ask for localhost, 127.0.0.1 or [::1]; to be asked by another name, set \
                        BACKHAUL_SERVE_TOKEN and listen at another address";
            let message = "this page is of another host than was asked for";
            return Some(refused(
                path,
                StatusCode::MISDIRECTED_REQUEST,
                message,
                help,
            ));
        }
        match &self.token {
            Some(check) if !OPEN.contains(&path) && !may_look(check, request.headers()) => {
                Some(unauthorized(path))
            }
            _ => None,
        }
    }
}

/// Lets through what may be asked.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut answer = match guard.refusal(&request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn names_this_machine(request: &Request) -> bool {
    let named = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = named else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}

fn may_look(check: &TokenCheck, headers: &HeaderMap) -> bool {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|shown| shown.to_str().ok());
    let bearer = shown.and_then(|shown| shown.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if let Some((_, token)) = bearer {
        return check.is_token(token.trim());
    }
    sessions(headers).any(|session| check.is_session(session, Nanos::now()))
}

/// The sessions that a browser shows: of several hosts that share a name there may be several.
fn sessions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers.get_all(COOKIE).into_iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
}

/// A person is shown the form, a program what to do.
fn unauthorized(path: &str) -> Response {
    let mut answer = match path {
        "/" => (StatusCode::UNAUTHORIZED, sign_in::form(None)).into_response(),
        path => {
            let help = "send the header `Authorization: Bearer TOKEN`; a browser signs in at /";
            refused(path, StatusCode::UNAUTHORIZED, "a token is needed", help)
        }
    };
    let scheme = HeaderValue::from_static("Bearer realm=\"backhaul\"");
    answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    answer
}
