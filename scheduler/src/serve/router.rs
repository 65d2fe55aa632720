//! Router: which path is answered by what.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::configuration::document::Refusal;
use serde::Serialize;
use serde_json::json;

use super::answer::{bad_request, document, html, refused};
use super::guard::{Guard, SIGN_IN, guard};
use super::maps::choice::Choice;
use super::maps::question::Question;
use super::maps::{Maps, Told};
use super::watch::{Seen, Watch};
use super::{assets, page, sign_in};

/// The longest form: a token, and an address to go on to.
const BODY_BYTES_MAX: usize = 4096;
/// Maps that are listed: those of all jobs, and of the jobs that were submitted last.
const LISTED_MAX: usize = 500;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Site {
    /// How the installation stands.
    pub watch: Arc<Watch>,
    /// The maps.
    pub maps: Arc<Maps>,
    /// Whether there is a fleet.
    pub is_fleet: bool,
}

type Address = Result<Query<BTreeMap<String, String>>, QueryRejection>;

/// All paths, those of `monitor` (metrics and health) among them, behind the guard.
pub fn router(site: Site, who: Arc<Guard>, monitor: Router) -> Router {
    Router::new()
        .route("/", get(whole))
        .route("/live", get(live))
        .route("/api", get(api))
        .route("/api/overview", get(overview))
        .route("/api/coverage", get(coverage))
        .route("/api/coverage/day", get(day))
        .route("/api/coverage/maps", get(maps))
        .with_state(site)
        .route("/page.css", get(assets::stylesheet))
        .route("/page.js", get(assets::script))
        .route("/icon.svg", get(assets::icon))
        .route(
            SIGN_IN,
            get(sign_in::ask)
                .post(sign_in::take)
                .with_state(Arc::clone(&who)),
        )
        .merge(monitor)
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(who, guard))
}

async fn whole(State(site): State<Site>, address: Address) -> Response {
    let look = site.watch.look().await;
    let question = read(address);
    let map = match question {
        Ok(question) => page::map::section(&question, &site.maps).await,
        Err(refusal) => page::map::refused(&refusal),
    };
    html(page::whole(look.seen.as_ref(), site.is_fleet, &map)).into_response()
}

async fn live(State(site): State<Site>) -> Response {
    let look = site.watch.look().await;
    axum::response::Html(look.fragment.clone()).into_response()
}

async fn api() -> Response {
    let paths = [
        "/api/overview",
        "/api/coverage",
        "/api/coverage/day",
        "/api/coverage/maps",
    ];
    document(format!("{}\n", json!({ "paths": paths })))
}

async fn overview(State(site): State<Site>) -> Response {
    let look = site.watch.look().await;
    let status = match look.seen {
        Some(Seen::Away { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Some(Seen::Installation(_) | Seen::NoDatabase) => StatusCode::OK,
        None => StatusCode::ACCEPTED,
    };
    (status, document(look.document.clone())).into_response()
}

async fn coverage(State(site): State<Site>, address: Address) -> Response {
    match read(address) {
        Ok(question) => told(site.maps.window(&question).await),
        Err(refusal) => bad_request(&refusal),
    }
}

async fn day(State(site): State<Site>, address: Address) -> Response {
    match read(address) {
        Ok(question) => told(site.maps.detail(&question).await),
        Err(refusal) => bad_request(&refusal),
    }
}

async fn maps(State(site): State<Site>) -> Response {
    let choices = match site.maps.choices().await {
        Told::There(choices) => choices,
        Told::Gathering => return gathering(),
        Told::Failed => return not_gathered(),
        Told::Nothing => Arc::default(),
    };
    let total = choices.len();
    let listed = listed(&choices).map(|choice| {
        let which = &choice.which;
        json!({
            "dataset": which.dataset,
            "schema": which.schema.as_str(),
            "stype_in": which.stype_in.as_str(),
            "job": which.job,
            "job_name": choice.job_name,
            "start": choice.days.start(),
            "end": choice.days.end(),
        })
    });
    let listed: Vec<_> = listed.collect();
    document(format!("{}\n", json!({ "maps": listed, "total": total })))
}

/// Those that are listed: of jobs, then of all jobs.
fn listed(choices: &[Choice]) -> impl Iterator<Item = &Choice> {
    let of_jobs = choices.iter().filter(|choice| choice.which.job.is_some());
    let of_all = choices.iter().filter(|choice| choice.which.job.is_none());
    let room = LISTED_MAX.saturating_sub(of_all.clone().count());
    of_jobs.take(room).chain(of_all.take(LISTED_MAX))
}

fn read(address: Address) -> Result<Question, Refusal> {
    let Ok(Query(address)) = address else {
        let help = "write name=value, parted by &";
        return Err(Refusal::of(
            "address",
            "what follows the ? can't be read",
            help,
        ));
    };
    Question::read(&address)
}

fn told(told: Result<Told<impl Serialize>, Refusal>) -> Response {
    match told {
        Ok(Told::There(told)) => {
            let mut text = serde_json::to_string(&told).unwrap_or_default();
            text.push('\n');
            document(text)
        }
        Ok(Told::Gathering) => gathering(),
        Ok(Told::Failed) => not_gathered(),
        Ok(Told::Nothing) => {
            let help = "`scheduler submit JOB.yaml` submits a job";
            refused(
                "/api",
                StatusCode::NOT_FOUND,
                "nothing was asked for yet",
                help,
            )
        }
        Err(refusal) => bad_request(&refusal),
    }
}

/// The answer of what isn't there yet: asked again, it will be.
fn gathering() -> Response {
    let body = json!({ "state": "gathering", "help": "ask again in a second" });
    (StatusCode::ACCEPTED, document(format!("{body}\n"))).into_response()
}

/// The answer of what couldn't be gathered. Why is for whoever reads the log: it may name addresses.
fn not_gathered() -> Response {
    let (status, help) = (StatusCode::SERVICE_UNAVAILABLE, page::map::FAILED_HELP);
    refused("/api", status, page::map::FAILED, help)
}

async fn nowhere(uri: Uri) -> Response {
    let help = "the page is at /, its JSON at /api/overview and /api/coverage";
    refused(
        uri.path(),
        StatusCode::NOT_FOUND,
        "there is nothing here",
        help,
    )
}
