//! Replay: a rule or a mapping that changed, applied to the archive, is as if it had always been so.

use common::chunk::{ChunkId, ChunkState, JobId};
use common::quality::Severity;
use common::store::replay::ReplayScope;
use common::store::{Difference, Replayable};
use dbn::{SType, Schema};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;
use worker::error::ChunkError;
use worker::replay::{rehearse, replay};

use crate::failpoints::REPLAY_FAILPOINTS;
use crate::installation::{Installation, Piece, january, outcomes, piece};

on_every_engine! {
    a_replay_gives_the_tables_of_a_fresh_load_and_asks_the_vendor_nothing
    a_rehearsal_tells_what_the_replay_then_does
    a_replay_that_fails_anywhere_leaves_the_chunk_as_it_was
    above_the_limit_a_chunk_stays_as_it_was_and_says_why
    a_damaged_or_missing_archive_leaves_the_chunk_as_it_was_and_the_vendor_unasked
    a_chunk_that_was_given_up_by_its_rules_is_loaded_by_a_replay
    a_retry_after_the_rules_were_mended_reads_the_archive
    a_dead_chunk_whose_symbols_nothing_here_explains_is_left_to_a_run
    what_others_came_to_hold_since_leaves_a_replay_its_own
}

/// Two chunks of trades, of which the second overlaps a contract that a third holds; definitions,
/// whose stream does not say what its symbols mean; and statistics.
fn pieces() -> [Piece; 5] {
    [
        piece(Schema::Trades, &["ES.c.0", "CL.c.0"], january(4, 5)),
        piece(Schema::Trades, &["ES.c.0"], january(5, 6)),
        piece(Schema::Trades, &["ES.c.0", "CL.c.0"], january(5, 9)),
        piece(Schema::Definition, &["ES.c.0", "CL.c.0"], january(4, 5)),
        piece(Schema::Statistics, &["ES.c.0"], january(4, 5)),
    ]
}

/// Holds small trades back, tells large ones, and derives a column.
fn stricter(text: String) -> String {
    let text = text.replace("check: size > 0", "check: size > 1");
    let text = text.replace(
        "{name: sequence}",
        "{name: sequence, expression: flags * 2 - depth}",
    );
    format!("{text}  - name: size_unusual\n    check: size < 8\n    severity: info\n")
}

async fn loaded(
    engine: &Engine,
    change: impl FnOnce(&mut Installation),
    settings: impl FnOnce(&mut common::configuration::settings::Settings),
) -> (Installation, JobId) {
    let mut installation = Installation::with(engine, settings).await;
    change(&mut installation);
    let job = installation
        .submit("job", SType::Continuous, &pieces())
        .await;
    let told = installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 5, "{told:?}");
    (installation, job)
}

fn lenient(settings: &mut common::configuration::settings::Settings) {
    settings.max_quarantine_percent = "100".parse().unwrap();
}

async fn replayable(installation: &Installation, job: JobId) -> Vec<Replayable> {
    let store = &installation.environment.store;
    let found = store
        .replayable(job, ReplayScope::All, ChunkId(0), 100)
        .await;
    found.unwrap()
}

async fn replay_all(installation: &Installation, job: JobId) -> Difference {
    let environment = installation.replay_environment();
    let mut all = Difference::default();
    for chunk in replayable(installation, job).await {
        all.add(replay(&environment, &chunk).await.unwrap());
    }
    all
}

async fn a_replay_gives_the_tables_of_a_fresh_load_and_asks_the_vendor_nothing(engine: &Engine) {
    let strict =
        |installation: &mut Installation| installation.use_mapping(Schema::Trades, stricter);
    let (fresh, _) = loaded(engine, strict, lenient).await;
    let expected = fresh.tables().await;
    drop(fresh);
    let (mut installation, job) = loaded(engine, |_| {}, lenient).await;
    let before = installation.tables().await;
    assert_ne!(before, expected);
    strict(&mut installation);
    let requests = installation.simulator.requests().len();
    let changed = replay_all(&installation, job).await;
    assert!(changed.quarantined_after > 0, "{changed:?}");
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.simulator.requests().len(), requests);
    let spent = "SELECT count(*) FROM spend";
    let spent = installation.number(spent).await;
    // And back again.
    installation.use_mapping(Schema::Trades, |text| text);
    replay_all(&installation, job).await;
    assert_eq!(installation.tables().await, before);
    assert_eq!(
        installation.number("SELECT count(*) FROM spend").await,
        spent
    );
    let status = installation
        .environment
        .store
        .job(job)
        .await
        .unwrap()
        .unwrap();
    assert!(status.complete, "{status:?}");
}

async fn a_rehearsal_tells_what_the_replay_then_does(engine: &Engine) {
    let (mut installation, job) = loaded(engine, |_| {}, lenient).await;
    let before = installation.tables().await;
    installation.use_mapping(Schema::Trades, stricter);
    let environment = installation.replay_environment();
    let mut told = Difference::default();
    for chunk in replayable(&installation, job).await {
        told.add(rehearse(&environment, &chunk).await.unwrap());
    }
    assert_eq!(installation.tables().await, before);
    let small = installation
        .number("SELECT count(*) FROM trades_data WHERE size <= 1")
        .await;
    let small = u64::try_from(small).unwrap();
    assert!(small > 0);
    assert_eq!((told.left, told.entered), (Some(small), Some(0)));
    assert_eq!(told.rules["size_positive"].entered_quarantine, Some(small));
    assert_eq!(
        told.rules["size_unusual"].severity_after,
        Some(Severity::Info)
    );
    let changed = installation.number(
        "SELECT count(*) FROM trades_data WHERE size > 1 AND sequence <> flags * 2 - depth",
    );
    assert_eq!(told.changed, Some(u64::try_from(changed.await).unwrap()));
    assert_eq!(told.columns.keys().collect::<Vec<_>>(), ["sequence"]);
    let done = replay_all(&installation, job).await;
    assert_eq!(done.rows_after, told.rows_after);
    assert_eq!(done.quarantined_after, told.quarantined_after);
    for (name, rule) in &done.rules {
        assert_eq!(rule.failing_after, told.rules[name].failing_after, "{name}");
    }
}

async fn a_replay_that_fails_anywhere_leaves_the_chunk_as_it_was(engine: &Engine) {
    let (mut installation, job) = loaded(engine, |_| {}, lenient).await;
    let before = installation.tables().await;
    installation.use_mapping(Schema::Trades, stricter);
    let environment = installation.replay_environment();
    let chunks = replayable(&installation, job).await;
    for name in REPLAY_FAILPOINTS {
        fail::cfg(name, "return").unwrap();
        for chunk in &chunks {
            let failed = replay(&environment, chunk).await;
            assert!(matches!(failed, Err(ChunkError::Panic(_))), "{failed:?}");
        }
        fail::remove(name);
        assert_eq!(installation.tables().await, before, "{name}");
    }
    replay_all(&installation, job).await;
    assert_ne!(installation.tables().await, before);
}

async fn above_the_limit_a_chunk_stays_as_it_was_and_says_why(engine: &Engine) {
    let (mut installation, job) = loaded(engine, |_| {}, |_| {}).await;
    let before = installation.tables().await;
    installation.use_mapping(Schema::Trades, stricter);
    let environment = installation.replay_environment();
    let chunk = &replayable(&installation, job).await[0];
    for error in [
        replay(&environment, chunk).await.unwrap_err(),
        rehearse(&environment, chunk).await.unwrap_err(),
    ] {
        let text = error.to_string();
        for words in [
            "at most 1 % may",
            "the worst is size_positive",
            "size = 1",
            "record ",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    assert_eq!(installation.tables().await, before);
}

async fn a_damaged_or_missing_archive_leaves_the_chunk_as_it_was_and_the_vendor_unasked(
    engine: &Engine,
) {
    let (installation, job) = loaded(engine, |_| {}, lenient).await;
    let before = installation.tables().await;
    let requests = installation.simulator.requests().len();
    let environment = installation.replay_environment();
    let chunk = &replayable(&installation, job).await[0];
    let key = chunk.archive_object.clone();
    let object = installation.sandbox.path().join("archive").join(key);
    let mut bytes = std::fs::read(&object).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&object, &bytes).unwrap();
    let damaged = replay(&environment, chunk).await;
    assert!(
        matches!(damaged, Err(ChunkError::Damaged(_))),
        "{damaged:?}"
    );
    std::fs::remove_file(&object).unwrap();
    let missing = replay(&environment, chunk).await;
    assert!(
        matches!(missing, Err(ChunkError::NotArchived)),
        "{missing:?}"
    );
    assert_eq!(installation.tables().await, before);
    assert_eq!(installation.simulator.requests().len(), requests);
}

async fn a_chunk_that_was_given_up_by_its_rules_is_loaded_by_a_replay(engine: &Engine) {
    let mut installation = Installation::with(engine, |_| {}).await;
    installation.use_mapping(Schema::Trades, stricter);
    let pieces = [piece(Schema::Trades, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    let [Outcome::Dead { error }] = outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert!(error.contains("size_positive"), "{error}");
    assert_eq!(installation.tables().await.len(), 0);
    assert_eq!(installation.data_requests().len(), 1);
    installation.use_mapping(Schema::Trades, |text| text);
    let loaded = replay_all(&installation, job).await;
    assert!(loaded.rows_after > 0);
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.data_requests().len(), 1);
}

async fn a_retry_after_the_rules_were_mended_reads_the_archive(engine: &Engine) {
    let mut installation = Installation::with(engine, |_| {}).await;
    installation.use_mapping(Schema::Trades, stricter);
    let pieces = [piece(Schema::Trades, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    installation.work_off(job).await;
    assert_eq!(installation.chunks("dead").await, 1);
    installation.use_mapping(Schema::Trades, |text| text);
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let told = installation.work_off(job).await;
    let from_archive = |outcome: &&Outcome| {
        matches!(
            outcome,
            Outcome::Done {
                from_archive: true,
                ..
            }
        )
    };
    assert!(outcomes(&told).iter().all(from_archive), "{told:?}");
    assert_eq!(installation.data_requests().len(), 1);
}

async fn a_dead_chunk_whose_symbols_nothing_here_explains_is_left_to_a_run(engine: &Engine) {
    let mut installation = Installation::with(engine, |_| {}).await;
    installation.use_mapping(Schema::Definition, |text| {
        text.replace("raw_symbol is not null", "raw_symbol = 'none has it'")
    });
    let symbols = ["ES.c.0", "CL.c.0"];
    let pieces = [
        piece(Schema::Trades, &symbols, january(4, 5)),
        piece(Schema::Definition, &symbols, january(4, 6)),
    ];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    installation.work_off(job).await;
    assert_eq!(installation.chunks("dead").await, 1);
    installation.use_mapping(Schema::Definition, |text| text);
    let environment = installation.replay_environment();
    let chunks = replayable(&installation, job).await;
    // The trades have noted what the symbols mean on one of the two days: that is not enough.
    let dead = chunks.iter().find(|chunk| chunk.state == ChunkState::Dead);
    let refused = replay(&environment, dead.unwrap()).await;
    assert!(
        matches!(refused, Err(ChunkError::Unresolved)),
        "{refused:?}"
    );
    assert_eq!(installation.chunks("dead").await, 1);
}

async fn what_others_came_to_hold_since_leaves_a_replay_its_own(engine: &Engine) {
    let mut installation = Installation::with(engine, lenient).await;
    let symbols = ["ES.c.0"];
    let first = [piece(Schema::Trades, &symbols, january(4, 5))];
    let job = installation
        .submit("first", SType::Continuous, &first)
        .await;
    installation.work_off(job).await;
    // Every instrument, on the same day: a slice over all that the first holds already.
    let all = [piece(Schema::Trades, &[], january(4, 5))];
    let later = installation.submit("all", SType::RawSymbol, &all).await;
    installation.work_off(later).await;
    let before = installation.tables().await;
    installation.use_mapping(Schema::Trades, stricter);
    for job in [job, later] {
        let changed = replay_all(&installation, job).await;
        assert!(changed.quarantined_after > 0, "{changed:?}");
    }
    let store = &installation.environment.store;
    let covered = store.job(later).await.unwrap().unwrap().records;
    assert!(covered.covered > 0 && covered.add_up(), "{covered:?}");
    installation.use_mapping(Schema::Trades, |text| text);
    for job in [later, job] {
        replay_all(&installation, job).await;
    }
    assert_eq!(installation.tables().await, before);
}
