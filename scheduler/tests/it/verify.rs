//! `scheduler verify`: what it finds, what it says, and how it ends.

mod planted;
mod reports;
mod stories;
mod unable;

use serde_json::Value;
use testkit::engine::Engine;

use crate::installation::{Installation, Said};
use crate::quality::json;

/// A job of several kinds of records, over a weekend.
pub const JOB: &str = "
name: verified
dataset: GLBX.MDP3
schemas: [trades, mbp-1, ohlcv-1m, ohlcv-1d, statistics, definition, status]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-08
chunking: {days: 1}
";

/// An installation with the job worked off.
async fn loaded(engine: &Engine) -> Installation {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    installation
}

/// The one document of a verification that ends with this code.
async fn verified(installation: &Installation, more: &[&str], code: i32) -> (Said, Value) {
    let arguments = [&["verify", "--json"], more].concat();
    let said = installation.run(&arguments).await;
    assert_eq!(said.code, Some(code), "{arguments:?}: {said:#?}");
    assert_eq!(said.stderr, "");
    let document = json(&said);
    assert_eq!(document["passed"], code == 0);
    (said, document)
}

/// The summary of one aspect.
fn summary<'a>(document: &'a Value, check: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap().iter();
    let mut of_name = checks.filter(|report| report["check"] == check);
    of_name
        .next()
        .unwrap_or_else(|| panic!("{check}: {document}"))
}

/// The SQL checks that came to something else than this.
fn but<'a>(document: &'a Value, result: &str) -> Vec<&'a str> {
    let checks = document["integrity"]["checks"].as_array().unwrap().iter();
    let others = checks.filter(|check| check["result"] != result);
    others
        .map(|check| check["name"].as_str().unwrap())
        .collect()
}
