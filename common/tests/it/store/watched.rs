//! What whoever watches looks at: chunks that run and that failed, one chunk, what was settled when.

use std::time::Duration;

use common::chunk::{ChunkId, ChunkState, JobId};
use common::request::Symbols;
use common::store::settle::PutOff;
use common::store::{Failure, PlannedChunk, Question, SettledMinute, Store, Working};
use common::time::{MINUTE, Nanos};
use testkit::database::Database;

use super::ground::{
    NOW, ORIGIN, after, claim_at, january, load, loaded, one_claim, planned, postgresql, request,
    rows, sqlite, submit, trades,
};

on_every_engine! {
    what_runs_is_told_by_who_has_it_and_since_when
    what_failed_is_told_the_last_first_of_all_jobs_or_of_one
    a_chunk_is_told_as_it_stands
    what_was_settled_is_told_by_the_minute
    of_thousands_of_symbols_the_first_are_told
}

/// More than there is.
const MANY: u32 = 100;

fn chunks_of(working: &[Working]) -> Vec<ChunkId> {
    working.iter().map(|of| of.part.chunk).collect()
}

fn failed(failures: &[Failure]) -> Vec<ChunkId> {
    failures.iter().map(|of| of.part.chunk).collect()
}

async fn two_jobs(store: &Store) -> ((JobId, Vec<ChunkId>), (JobId, Vec<ChunkId>)) {
    let one = submit(store, &request("one"), 3).await;
    (one, submit(store, &request("two"), 2).await)
}

async fn what_runs_is_told_by_who_has_it_and_since_when(store: &Store) {
    let ((one, first), (two, second)) = two_jobs(store).await;
    for (chunk, worker, seconds) in [(first[1], "a", 3), (second[0], "b", 1), (first[0], "a", 2)] {
        let lease = Duration::from_secs(60);
        let claimed = store.claim(chunk, worker, lease, after(seconds)).await;
        claimed.unwrap().expect("it is due");
    }
    let all = store.working(None, MANY).await.unwrap();
    assert_eq!(chunks_of(&all), [second[0], first[0], first[1]]);
    let longest = &all[0];
    assert_eq!(
        (longest.part.job, longest.part.job_name.as_str()),
        (two, "two")
    );
    assert_eq!((longest.worker.as_str(), longest.epoch), ("b", 1));
    assert_eq!((longest.since, longest.lease_until), (after(1), after(61)));
    assert_eq!(longest.expected, 3);
    assert_eq!(longest.part.days, january(1, 2));
    assert_eq!(longest.part.symbols, "CL.c.0,ES.c.0");
    let some = store.working(None, 2).await.unwrap();
    assert_eq!(chunks_of(&some), [second[0], first[0]]);
    let of_one = store.working(Some(one), MANY).await.unwrap();
    assert_eq!(chunks_of(&of_one), [first[0], first[1]]);
    // However few are told, all are counted.
    let by_worker = store.runs_by_worker().await.unwrap();
    assert_eq!(by_worker, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
}

async fn what_failed_is_told_the_last_first_of_all_jobs_or_of_one(store: &Store) {
    let ((one, first), (two, second)) = two_jobs(store).await;
    assert_eq!(store.failures(None, MANY).await.unwrap(), []);
    for (chunk, seconds) in [(first[0], 10), (second[0], 30)] {
        let claim = claim_at(store, chunk, NOW).await.unwrap();
        let given_up = store.give_up(&claim, "it can't be", after(seconds));
        given_up.await.unwrap();
    }
    let claim = claim_at(store, first[1], NOW).await.unwrap();
    let why = PutOff::Failed("it broke".into());
    let put_off = store.put_off(&claim, &why, after(90), after(20));
    put_off.await.unwrap();
    // One that waits for something else did not fail.
    let claim = claim_at(store, first[2], NOW).await.unwrap();
    let why = PutOff::NotYet("not yet".into());
    let put_off = store.put_off(&claim, &why, after(90), after(40));
    put_off.await.unwrap();

    let all = store.failures(None, MANY).await.unwrap();
    assert_eq!(failed(&all), [second[0], first[1], first[0]]);
    let again = &all[1];
    assert_eq!((again.state, again.failures), (ChunkState::Pending, 1));
    assert_eq!(again.error, "it broke");
    assert_eq!((again.at, again.due_at), (after(20), after(90)));
    assert_eq!(all[2].state, ChunkState::Dead);
    let last = store.failures(None, 1).await.unwrap();
    assert_eq!(failed(&last), [second[0]]);
    let of_one = store.failures(Some(one), MANY).await.unwrap();
    assert_eq!(failed(&of_one), [first[1], first[0]]);
    let of_two = store.failures(Some(two), MANY).await.unwrap();
    assert_eq!(failed(&of_two), [second[0]]);
}

async fn a_chunk_is_told_as_it_stands(store: &Store) {
    assert_eq!(store.told_chunk(ChunkId(9_999)).await.unwrap(), None);
    let claim = one_claim(store).await;
    load(store, &claim).await.unwrap();
    let told = store.told_chunk(claim.chunk.id).await.unwrap().unwrap();
    assert_eq!(
        (told.state, told.rows, told.error),
        (ChunkState::Done, 3, None)
    );
    assert_eq!((told.part.chunk, told.at), (claim.chunk.id, NOW));
    let (_, chunks) = submit(store, &request("two"), 1).await;
    let claim = claim_at(store, chunks[0], NOW).await.unwrap();
    store.give_up(&claim, "no", after(5)).await.unwrap();
    let told = store.told_chunk(chunks[0]).await.unwrap().unwrap();
    assert_eq!((told.state, told.failures), (ChunkState::Dead, 1));
    assert_eq!((told.error.as_deref(), told.at), (Some("no"), after(5)));
}

async fn what_was_settled_is_told_by_the_minute(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 5).await;
    let minute = NOW.0.div_euclid(MINUTE) + 1;
    let begins = minute * MINUTE;
    let nothing = common::vendor::Resolution::default();
    // The last nanosecond of a minute, the first of the next, its last, and one that was given up.
    let times = [begins - 1, begins, begins + MINUTE - 1, begins + MINUTE].map(Nanos);
    for (number, at) in times.into_iter().enumerate() {
        let claim = claim_at(store, chunks[number], NOW).await.unwrap();
        match number {
            1 => {
                let settled = store.settle_empty(&claim, &[], &nothing, at);
                settled.await.unwrap();
            }
            3 => store.give_up(&claim, "no", at).await.unwrap(),
            _ => {
                let mut load = store.begin_load(&claim, &trades()).await.unwrap();
                let block = rows(super::ground::ES, claim.chunk.days.span().start, 3);
                load.insert(&block).await.unwrap();
                load.commit(&loaded(&claim, 3), at).await.unwrap();
            }
        }
    }
    let settled = |minute, chunks, rows| SettledMinute {
        minute,
        chunks,
        rows,
        bytes: 0,
    };
    let since = async |minute| store.settled_since(minute).await.unwrap();
    let (before, then) = (settled(minute - 1, 1, 3), settled(minute, 2, 3));
    assert_eq!(since(minute - 1).await, [before, then]);
    assert_eq!(since(minute).await, [then]);
    assert_eq!(since(minute + 1).await, []);
    assert_eq!(then.begins(), Nanos(begins));
}

async fn of_thousands_of_symbols_the_first_are_told(store: &Store) {
    let names: Vec<_> = (0..5_000)
        .map(|number| format!("S{number:04}.c.0"))
        .collect();
    let mut wide = request("wide");
    wide.symbols = Symbols::named(names.clone());
    let chunk = PlannedChunk {
        symbols: wide.symbols.clone(),
        ..planned(january(1, 2))
    };
    let submitted = store.submit(&wide, ORIGIN, &[chunk], NOW).await.unwrap();
    let due = store.due(submitted.job, 1, NOW).await.unwrap();
    let told = store.told_chunk(due[0]).await.unwrap().unwrap();
    let symbols = told.part.symbols;
    assert!(symbols.len() < 2_100, "{}", symbols.len());
    let (told, rest) = symbols.rsplit_once(',').unwrap();
    assert_eq!(rest, "…");
    let told: Vec<_> = told.split(',').collect();
    assert!(told.len() > 100, "{}", told.len());
    assert_eq!(told, names[..told.len()]);
}

/// Each statement, how its parameters are typed, and the index that is to answer it.
const PLANNED: [(Question, &str, &str); 5] = [
    (Question::Working, "(bigint, bigint)", "chunks_running"),
    (Question::RunsByWorker, "", "chunks_running"),
    (Question::Failures, "(bigint)", "chunks_failed"),
    (
        Question::FailuresOfJob,
        "(bigint, bigint)",
        "chunks_failed_of_job",
    ),
    (Question::SettledSince, "(bigint, bigint)", "chunks_settled"),
];

#[tokio::test]
async fn sqlite_answers_by_an_index() {
    let (sandbox, store) = sqlite().await;
    store.close().await;
    let database = Database::File(sandbox.database());
    for (question, _, index) in PLANNED {
        let plan = database.plan(&question.text()).await;
        let is_used =
            |step: &String| step.contains(&format!("INDEX {index} ")) || step.ends_with(index);
        assert!(plan.iter().any(is_used), "{question:?}: {plan:#?}");
    }
}

#[tokio::test]
async fn postgresql_answers_by_an_index_whatever_it_is_asked_for() {
    let Some((server, _store)) = postgresql().await else {
        return;
    };
    for (question, types, index) in PLANNED {
        let values = match types.matches("bigint").count() {
            0 => "",
            1 => "(1)",
            _ => "(1, 1)",
        };
        // There are no rows yet, and reading none is cheapest.
        let plan = server.psql(&format!(
            "SET enable_seqscan = off; SET enable_bitmapscan = off;
             SET plan_cache_mode = force_generic_plan;
             PREPARE asked{types} AS {};
             EXPLAIN EXECUTE asked{values};",
            question.text()
        ));
        let is_used = |line: &str| line.contains(&format!("using {index} on chunks"));
        assert!(plan.lines().any(is_used), "{question:?}: {plan}");
    }
}
