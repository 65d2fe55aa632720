//! Guard: which questions are answered at all, before anything is looked at; and what every answer says to
//! the browser.
//!
//! Nothing here changes anything, so there is GET alone, and the form that shows the token. On this
//! machine alone and without a token, a page of somebody else's that a browser has open could ask under a
//! name of its own that leads here: the name that was asked for must be this machine's. Elsewhere there
//! must be a token. Other sites may lead here by a link, and ask for nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
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
    // Others learn nothing; with `no-referrer` a browser would hide from us too where the form was.
    (REFERRER_POLICY, "same-origin"),
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
/// What a browser says of the page that asks.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// What needs no token: a probe of health tells nothing, and the form needs its looks.
const OPEN: [&str; 5] = ["/healthz", "/readyz", SIGN_IN, "/page.css", "/icon.svg"];

/// Who may ask.
#[derive(Debug)]
pub struct Guard {
    /// What is compared with what is shown; without a token everybody may look.
    pub token: Option<TokenCheck>,
    /// Where this listens.
    address: IpAddr,
}

impl Guard {
    /// For an address.
    ///
    /// # Errors
    /// [`Refusal`] where others than this machine could look without a token.
    pub fn new(token: Option<&ServeToken>, address: SocketAddr) -> Result<Self, Refusal> {
        if !address.ip().is_loopback() && token.is_none() {
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
            address: address.ip(),
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
        if self.token.is_none() && !names_this_machine(request.headers(), self.address) {
            let help = "ask for localhost, or the address that `scheduler serve` says; to be asked by \
                        another name, set BACKHAUL_SERVE_TOKEN";
            let message = "this page is of another host than was asked for";
            return Some(refused(
                path,
                StatusCode::MISDIRECTED_REQUEST,
                message,
                help,
            ));
        }
        if is_of_another_site(request) {
            let help = "open it in a window of its own";
            let message = "another site's page asked for this";
            return Some(refused(path, StatusCode::FORBIDDEN, message, help));
        }
        match &self.token {
            Some(check) if !OPEN.contains(&path) && !may_look(check, request.headers()) => {
                Some(unauthorized(path, request.uri().query()))
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

fn names_this_machine(headers: &HeaderMap, address: IpAddr) -> bool {
    let Some(host) = text(headers, &HOST) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let is_address = match address {
        IpAddr::V4(address) => name == address.to_string(),
        IpAddr::V6(address) => name == format!("[{address}]"),
    };
    is_address || name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}

/// Whether a page of somebody else's asks: for anything but to be shown the page itself, or to sign in.
/// Programs say nothing of that, and old browsers neither.
fn is_of_another_site(request: &Request) -> bool {
    let (headers, path) = (request.headers(), request.uri().path());
    let site = text(headers, &SITE);
    if request.method() == Method::POST {
        return match site {
            Some(site) => !matches!(site, "same-origin" | "none"),
            None => text(headers, &ORIGIN).is_some_and(|origin| {
                let of = origin.split_once("://").map(|(_, host)| host);
                of.is_none() || of != text(headers, &HOST)
            }),
        };
    }
    let is_link = path == "/" && text(headers, &MODE) == Some("navigate");
    site == Some("cross-site") && !is_link
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn may_look(check: &TokenCheck, headers: &HeaderMap) -> bool {
    let shown = text(headers, &AUTHORIZATION);
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
fn unauthorized(path: &str, query: Option<&str>) -> Response {
    let mut answer = match path {
        "/" => {
            let form = sign_in::form(None, query.unwrap_or_default());
            (StatusCode::UNAUTHORIZED, form).into_response()
        }
        path => {
            let help = "send the header `Authorization: Bearer TOKEN`; a browser signs in at /";
            refused(path, StatusCode::UNAUTHORIZED, "a token is needed", help)
        }
    };
    let scheme = HeaderValue::from_static("Bearer realm=\"backhaul\"");
    answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    answer
}
