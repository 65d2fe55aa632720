//! Cuts: a stream that is cut is gone on from, whatever cut it, and nothing is lost, doubled or paid for
//! again.

use common::chunk::JobId;
use common::configuration::settings::Settings;
use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Config, Fault, FaultKind, RequestLog};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;

use crate::installation::{Installation, Piece, day, january, outcomes, piece};

on_every_engine! {
    a_stream_that_is_cut_once_is_gone_on_from_whatever_cut_it
    a_stream_may_be_cut_more_often_than_a_chunk_may_fail
}

/// Bytes of a record of `mbp-1`.
const RECORD_BYTES: u64 = 80;

/// The ways in which a stream can be cut.
pub const CUTS: [FaultKind; 6] = [
    FaultKind::Reset,
    FaultKind::ShortLength,
    FaultKind::CutInFrame,
    FaultKind::CutAtFrame,
    FaultKind::CutInRecord,
    FaultKind::Stall,
];

/// With long days, and little patience with a stream that stands still.
pub async fn long_days(engine: &Engine, trades_per_day: u32) -> Installation {
    let history = Config {
        trades_per_day,
        strikes: 1,
        ..Config::default()
    };
    let change = |settings: &mut Settings| settings.read_timeout_seconds = 1.0;
    Installation::of_history(engine, history, change).await
}

pub fn one_day() -> Vec<Piece> {
    vec![piece(Schema::Mbp1, &["ES.c.0"], january(4, 5))]
}

/// Cuts the next stream.
pub fn cut(installation: &Installation, kind: FaultKind) {
    let fault = Fault::next(kind, 1).on_path("timeseries.get_range");
    installation.simulator.add_fault(fault.lasting(60.0));
}

/// Works the job off while each further stream is cut in one of these ways.
async fn work_off_cut(installation: &mut Installation, job: JobId, kinds: &[FaultKind]) {
    for kind in kinds {
        cut(installation, *kind);
        Installation::work_once(installation.environment.clone(), job).await;
    }
    installation.work_off(job).await;
}

/// Bytes that the vendor sent.
pub fn sent(requests: &[RequestLog]) -> u64 {
    requests.iter().map(|request| request.bytes).sum()
}

/// From when on a stream was asked for.
pub fn asked_from(request: &RequestLog) -> Nanos {
    Nanos(request.params["start"].parse().unwrap())
}

async fn a_stream_that_is_cut_once_is_gone_on_from_whatever_cut_it(engine: &Engine) {
    let mut undisturbed = long_days(engine, 3_000).await;
    let job = undisturbed
        .submit("job", SType::Continuous, &one_day())
        .await;
    undisturbed.work_off(job).await;
    let expected = undisturbed.tables().await;
    let whole = sent(&undisturbed.data_requests());
    drop(undisturbed);
    for kind in CUTS {
        let mut installation = long_days(engine, 3_000).await;
        let job = installation
            .submit("job", SType::Continuous, &one_day())
            .await;
        cut(&installation, kind);
        let told = installation.work_off(job).await;
        let outcomes = outcomes(&told);
        assert!(
            matches!(outcomes[..], [Outcome::Retry { .. }, Outcome::Done { .. }]),
            "{kind}: {outcomes:?}"
        );
        assert_eq!(installation.tables().await, expected, "{kind}");
        let requests = installation.data_requests();
        assert_eq!(requests.len(), 2, "{kind}");
        assert!(asked_from(&requests[1]) > day(1, 4).start(), "{kind}");
        let again = sent(&requests) - whole;
        assert!(again <= 3 * RECORD_BYTES, "{kind}: {again} bytes");
        let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
        assert_eq!(installation.number(open).await, 0, "{kind}");
        // What the rest may cost is all that is set aside for it.
        let reserved = installation
            .number("SELECT sum(reserved_nanousd) FROM spend WHERE epoch = 2")
            .await;
        let cost = installation.number("SELECT cost_nanousd FROM chunks").await;
        assert!(reserved < cost, "{kind}: {reserved} of {cost}");
        assert_eq!(installation.parts(), 0, "{kind}");
    }
}

async fn a_stream_may_be_cut_more_often_than_a_chunk_may_fail(engine: &Engine) {
    let mut undisturbed = long_days(engine, 3_000).await;
    let job = undisturbed
        .submit("job", SType::Continuous, &one_day())
        .await;
    undisturbed.work_off(job).await;
    let expected = undisturbed.tables().await;
    drop(undisturbed);
    let mut installation = long_days(engine, 3_000).await;
    let settings = Settings {
        attempts_max: 2,
        ..(*installation.environment.settings).clone()
    };
    installation.environment.settings = std::sync::Arc::new(settings);
    let job = installation
        .submit("job", SType::Continuous, &one_day())
        .await;
    let kinds = [
        FaultKind::Reset,
        FaultKind::CutInRecord,
        FaultKind::CutInFrame,
    ];
    work_off_cut(&mut installation, job, &kinds).await;
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.data_requests().len(), 4);
    let failures = installation.number("SELECT failures FROM chunks").await;
    assert_eq!(failures, 0);
}

#[tokio::test]
async fn a_million_records_of_one_time_would_be_compared_too() {
    // All instruments are listed at the day's beginning: every cut falls into a tie.
    let all = [piece(Schema::Definition, &[], january(4, 5))];
    let history = || Config {
        trades_per_day: 20,
        strikes: 40,
        ..Config::default()
    };
    let engine = Engine::Sqlite;
    let mut undisturbed = Installation::of_history(&engine, history(), |_| {}).await;
    let job = undisturbed.submit("job", SType::RawSymbol, &all).await;
    undisturbed.work_off(job).await;
    let tied = "SELECT max(n) FROM (SELECT count(*) AS n FROM definitions_data GROUP BY ts_recv)";
    let tied = undisturbed.number(tied).await;
    assert!(tied > 500, "only {tied} definitions of one time");
    let expected = undisturbed.tables().await;
    drop(undisturbed);
    let mut installation = Installation::of_history(&engine, history(), |_| {}).await;
    let job = installation.submit("job", SType::RawSymbol, &all).await;
    let kinds = [
        FaultKind::CutInRecord,
        FaultKind::Reset,
        FaultKind::CutInRecord,
    ];
    work_off_cut(&mut installation, job, &kinds).await;
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.tables().await, expected);
}

/// Works once on each of a job's chunks that is not done, when all of them are due.
async fn work_all_once(installation: &Installation, job: JobId, chunks: u32) {
    let open = i64::from(chunks) - installation.chunks("done").await;
    let store = &installation.environment.store;
    let due = async || store.due(job, 256, Nanos::now()).await.unwrap().len();
    while i64::try_from(due().await).unwrap() < open {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    if open > 0 {
        Installation::work_once(installation.environment.clone(), job).await;
    }
}

#[tokio::test]
async fn over_a_hundred_random_cuts_less_than_a_thousandth_is_asked_for_again() {
    const STREAMS: u32 = 20;
    const CUTS_EACH: u32 = 5;
    let seed = Nanos::now().0.unsigned_abs();
    println!("seed {seed}");
    let history = Config {
        trades_per_day: 20_000,
        strikes: 1,
        seed,
        ..Config::default()
    };
    let engine = Engine::Sqlite;
    let days = |first| january(first, first + 1);
    let sessions = (2..31).filter(|first| !matches!(first % 7, 6 | 0));
    let pieces: Vec<_> = sessions
        .take(usize::try_from(STREAMS).unwrap())
        .map(|first| piece(Schema::Trades, &["ES.c.0"], days(first)))
        .collect();
    let mut undisturbed = Installation::of_history(&engine, history.clone(), |_| {}).await;
    let job = undisturbed.submit("job", SType::Continuous, &pieces).await;
    undisturbed.work_off(job).await;
    let whole = sent(&undisturbed.data_requests());
    let expected = undisturbed.tables().await;
    drop(undisturbed);

    let mut installation = Installation::of_history(&engine, history, |settings| {
        // One stream after the other: a fault is meant for the next request.
        settings.workers = 1;
    })
    .await;
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    // By the vendor's log of what it sent. A reset is left out: it throws away what lies unread in the
    // network's buffers, and that was never received, however it is kept.
    let kinds = CUTS
        .into_iter()
        .filter(|kind| !matches!(kind, FaultKind::Reset | FaultKind::Stall));
    let mut kinds = kinds.cycle();
    for _ in 0..CUTS_EACH {
        for _ in 0..STREAMS {
            cut(&installation, kinds.next().unwrap());
        }
        work_all_once(&installation, job, STREAMS).await;
        installation.simulator.clear_faults();
    }
    installation.work_off(job).await;
    let requests = installation.data_requests();
    let cuts = requests.iter().filter(|it| it.fault.is_some()).count();
    let again = sent(&requests) - whole;
    let share = again as f64 / whole as f64;
    println!(
        "{cuts} cuts, {again} of {whole} bytes again: {:.4} %",
        share * 100.0
    );
    assert!(cuts >= 100, "only {cuts} cuts");
    assert!(share < 0.001, "seed {seed}: {again} of {whole} bytes");
    assert_eq!(installation.tables().await, expected, "seed {seed}");
    assert_eq!(installation.chunks("done").await, i64::from(STREAMS));
}
