//! Every refusal that the service has, from its answer over HTTP to the chunk in the database, and on
//! to the rows once it is over.

mod table;

use std::collections::{BTreeMap, HashSet};
use std::mem::discriminant;

use common::chunk::JobId;
use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Fault, Refused, Shape};
use testkit::checksum::TableSum;
use testkit::engine::Engine;
use testkit::on_every_engine;

use self::table::{ROWS, Row};
use crate::installation::{Installation, january, piece};

on_every_engine! {
    a_stream_that_is_not_allowed_or_not_there_leaves_its_chunk_as_the_table_says
    a_stream_that_is_asked_for_wrongly_leaves_its_chunk_as_the_table_says
    a_stream_that_fails_leaves_its_chunk_as_the_table_says
    a_window_without_a_session_is_empty_and_asks_for_no_more
    no_session_where_there_are_records_is_no_proof_and_asked_again
    symbols_that_mean_nothing_where_records_came_are_asked_for_again
    symbols_that_resolve_in_part_are_loaded_in_part
}

const STREAM: &str = "timeseries.get_range";
const COUNT: &str = "metadata.get_record_count";
const RESOLVE: &str = "symbology.resolve";

type Tables = BTreeMap<String, TableSum>;

/// What a chunk and its job are after one attempt.
#[derive(Debug)]
struct After {
    state: String,
    failures: i64,
    /// Seconds from before the attempt until the chunk is due.
    waits: f64,
    /// Seconds that the attempt took.
    took: f64,
    error: String,
    job: String,
    reason: String,
}

/// One job of one chunk: a stream that is counted first where its plan has no count.
async fn one_chunk(engine: &Engine, path: &str) -> (Installation, JobId) {
    let installation = Installation::synthetic(engine).await;
    let schema = match path {
        // The stream of all definitions doesn't say what continuous symbols mean.
        RESOLVE => Schema::Definition,
        _ => Schema::Trades,
    };
    let piece = piece(schema, &["ES.c.0"], january(4, 5));
    let mut planned = installation.plan(SType::Continuous, &piece).await;
    if path == COUNT {
        planned.records = None;
    }
    let mut request = crate::installation::request("job", SType::Continuous, piece.days);
    request.schemas = vec![schema];
    let job = installation.submit_planned(&request, &[planned]).await;
    (installation, job)
}

/// Lets the chunk be tried once.
async fn attempt(installation: &Installation, job: JobId) -> After {
    let before = Nanos::now();
    Installation::work_once(installation.environment.clone(), job).await;
    let took = Nanos::now().seconds_since(before);
    let due = Nanos(installation.number("SELECT due_at FROM chunks").await);
    let text = async |sql: &str| installation.text(sql).await;
    After {
        state: text("SELECT state FROM chunks").await,
        failures: installation.number("SELECT failures FROM chunks").await,
        waits: due.seconds_since(before),
        took,
        error: text("SELECT coalesce(error, '') FROM chunks").await,
        job: text("SELECT state FROM jobs").await,
        reason: text("SELECT coalesce(reason, '') FROM jobs").await,
    }
}

/// The fault is over: whoever has to decides, time passes, and the chunk is worked off.
async fn mend(installation: &mut Installation, job: JobId, after: &After) {
    installation.simulator.clear_faults();
    let store = &installation.environment.store;
    if after.job == "paused" {
        assert!(store.resume(job).await.unwrap());
    }
    if after.state == "dead" {
        assert_eq!(store.retry(job, Nanos::now()).await.unwrap(), 1);
    }
    installation.execute("UPDATE chunks SET due_at = 0").await;
    installation.work_off(job).await;
}

/// One row on one path in one shape: what it leads to, and that all comes right afterwards.
async fn play(engine: &Engine, row: &Row, path: &str, shape: Shape, expected: &Tables) {
    let what = format!("{} on {path} as {shape:?}", row.name);
    let (mut installation, job) = one_chunk(engine, path).await;
    let refused = Refused {
        status: row.status,
        shape,
        case: row.case.map(str::to_owned),
        message: row.message.to_owned(),
        payload: row.payload.map(|text| serde_json::from_str(text).unwrap()),
    };
    let fault = Fault::refusing(refused, 1_000).on_path(path);
    let fault = match row.retry_after {
        Some(seconds) => fault.lasting(seconds),
        None => fault,
    };
    installation.simulator.add_fault(fault);
    let after = attempt(&installation, job).await;
    // The vendor's client shows no headers.
    let retry_after = row.retry_after.filter(|_| path == STREAM);
    row.becomes.check(&after, retry_after, &what);
    let words = [after.error.as_str(), &after.reason].join(" ");
    assert!(words.contains(row.said), "{what}: {after:?}");
    if after.state == "cancelled" {
        // It is over. The next plan asks for what is there by then.
        let held = installation.number("SELECT count(*) FROM coverage").await;
        return assert_eq!(held, 0, "{what}");
    }
    mend(&mut installation, job, &after).await;
    let error = installation
        .text("SELECT coalesce(error, '') FROM chunks")
        .await;
    assert_eq!(installation.chunks("done").await, 1, "{what}: {error}");
    assert_eq!(&installation.tables().await, expected, "{what}");
    let paid = installation
        .data_requests()
        .into_iter()
        .filter(|request| request.bytes > 0);
    assert_eq!(
        paid.count(),
        1,
        "{what}: what was received is not paid for again"
    );
}

/// The tables as they are without any fault.
async fn undisturbed(engine: &Engine, path: &str) -> Tables {
    let (mut installation, job) = one_chunk(engine, path).await;
    installation.work_off(job).await;
    let loaded = installation
        .number("SELECT loaded_records FROM chunks")
        .await;
    assert!(loaded > 0);
    installation.tables().await
}

async fn a_stream_that_is_not_allowed_or_not_there_leaves_its_chunk_as_the_table_says(
    engine: &Engine,
) {
    play_streams(engine, &[401, 402, 403, 404]).await;
}

async fn a_stream_that_is_asked_for_wrongly_leaves_its_chunk_as_the_table_says(engine: &Engine) {
    play_streams(engine, &[422]).await;
}

async fn a_stream_that_fails_leaves_its_chunk_as_the_table_says(engine: &Engine) {
    play_streams(engine, &[408, 429, 500, 502, 503, 504]).await;
}

/// The rows with one of these statuses.
async fn play_streams(engine: &Engine, statuses: &[u16]) {
    let expected = undisturbed(engine, STREAM).await;
    let mut become_so = HashSet::new();
    for row in ROWS.iter().filter(|row| statuses.contains(&row.status)) {
        let first = become_so.insert(discriminant(&row.becomes));
        // How a body is read is no matter of the database's, what becomes of the chunk is.
        let shapes = match engine {
            Engine::Sqlite => row.shapes,
            Engine::Postgresql(_) if first => &row.shapes[..1],
            Engine::Postgresql(_) => &[],
        };
        for shape in shapes {
            play(engine, row, STREAM, *shape, &expected).await;
        }
    }
}

/// The vendor's client reads these answers. One row has one shape and the next another: what each
/// means there is for the tests of `VendorError`.
async fn play_free(path: &str, rows: impl Iterator<Item = &Row>) {
    let expected = undisturbed(&Engine::Sqlite, path).await;
    for (number, row) in rows.enumerate() {
        let shape = row.shapes[number % row.shapes.len()];
        play(&Engine::Sqlite, row, path, shape, &expected).await;
    }
}

#[tokio::test]
async fn a_refused_count_leaves_its_chunk_as_the_table_says() {
    play_free(COUNT, ROWS.iter()).await;
}

#[tokio::test]
async fn a_refused_resolution_leaves_its_chunk_as_the_table_says() {
    play_free(RESOLVE, ROWS.iter().filter(|row| !row.is_of_range())).await;
}

/// 422 `symbology_invalid_request`.
fn no_session() -> Refused {
    Refused {
        status: 422,
        case: Some("symbology_invalid_request".to_owned()),
        message: "None of the symbols could be resolved".to_owned(),
        ..Refused::default()
    }
}

/// A chunk of which these paths have no session, tried once.
async fn without_session(
    engine: &Engine,
    chunk: &str,
    refused: &[&str],
) -> (Installation, JobId, After) {
    let (installation, job) = one_chunk(engine, chunk).await;
    for path in refused {
        let fault = Fault::refusing(no_session(), 1_000).on_path(*path);
        installation.simulator.add_fault(fault);
    }
    let after = attempt(&installation, job).await;
    (installation, job, after)
}

async fn a_window_without_a_session_is_empty_and_asks_for_no_more(engine: &Engine) {
    // The stream is refused so, and the count agrees; or the count of a chunk planned without one.
    for (chunk, refused) in [(STREAM, [STREAM, COUNT].as_slice()), (COUNT, &[COUNT])] {
        let (mut installation, job, after) = without_session(engine, chunk, refused).await;
        let found = (after.state.as_str(), after.failures, after.job.as_str());
        assert_eq!(found, ("empty", 0, "active"), "{after:?}");
        let asked = installation.simulator.requests().len();
        installation.work_off(job).await;
        assert_eq!(installation.simulator.requests().len(), asked);
    }
}

async fn no_session_where_there_are_records_is_no_proof_and_asked_again(engine: &Engine) {
    // The stream is refused so, and the vendor counts records.
    let expected = undisturbed(engine, STREAM).await;
    let (mut installation, job, after) = without_session(engine, STREAM, &[STREAM]).await;
    let found = (after.state.as_str(), after.failures, after.job.as_str());
    assert_eq!(found, ("pending", 1, "active"), "{after:?}");
    mend(&mut installation, job, &after).await;
    assert_eq!(installation.tables().await, expected);
}

async fn symbols_that_mean_nothing_where_records_came_are_asked_for_again(engine: &Engine) {
    // All definitions came, and what the chunk's symbols mean is refused so: the plan knew it.
    let expected = undisturbed(engine, RESOLVE).await;
    let (mut installation, job, after) = without_session(engine, RESOLVE, &[RESOLVE]).await;
    let found = (after.state.as_str(), after.failures, after.job.as_str());
    assert_eq!(found, ("pending", 1, "active"), "{after:?}");
    mend(&mut installation, job, &after).await;
    assert_eq!(installation.tables().await, expected);
}

/// 206: success, of those symbols that there are.
async fn symbols_that_resolve_in_part_are_loaded_in_part(engine: &Engine) {
    let mut installation = Installation::synthetic(engine).await;
    let mut rows = Vec::new();
    for symbols in [["ESH4", "NONE"].as_slice(), &["ESH4"]] {
        let pieces = [piece(Schema::Trades, symbols, january(4, 5))];
        let name = format!("of-{}", symbols.len());
        let job = installation.submit(&name, SType::RawSymbol, &pieces).await;
        installation.work_off(job).await;
        rows.push(
            installation
                .number("SELECT count(*) FROM trades_data")
                .await,
        );
    }
    let requests = installation.data_requests();
    assert_eq!(requests[0].status, 206);
    // The second job finds everything held, for the first has loaded all that there is.
    assert_eq!(requests.len(), 1);
    assert!(rows[0] > 0 && rows[0] == rows[1], "{rows:?}");
    assert_eq!(installation.chunks("done").await, 2);
}
