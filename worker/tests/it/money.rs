//! Money: what is asked of the vendor is asked once, and accounted for whatever becomes of it.

use common::money::Usd;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;

use crate::installation::{Installation, january, outcomes, piece, request};

on_every_engine! {
    chunks_that_share_a_request_send_it_once
    what_was_received_is_paid_for_whatever_became_of_it
    a_request_that_would_pass_the_limit_is_not_sent
}

async fn chunks_that_share_a_request_send_it_once(engine: &Engine) {
    let mut installation = Installation::with(engine, |settings| settings.workers = 4).await;
    // The vendor has no definitions of continuous symbols: each chunk asks for all of them.
    let pieces = ["ES.c.0", "CL.c.0", "NQ.c.0", "GC.c.0"]
        .map(|symbol| piece(Schema::Definition, &[symbol], january(4, 5)));
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    // Late answers, so that whoever asks at the same time is seen to.
    let late = Fault::next(FaultKind::Latency, 4).lasting(0.2);
    installation
        .simulator
        .add_fault(late.on_path("timeseries.get_range"));
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    let bought = |outcome: &&&Outcome| {
        matches!(
            outcome,
            Outcome::Done {
                from_archive: false,
                ..
            }
        )
    };
    assert_eq!(outcomes.iter().filter(bought).count(), 1, "{outcomes:?}");
    assert_eq!(installation.chunks("done").await, 4);
    assert_eq!(installation.data_requests().len(), 1);
    assert_eq!(installation.number("SELECT count(*) FROM spend").await, 1);
}

async fn what_was_received_is_paid_for_whatever_became_of_it(engine: &Engine) {
    let cuts = [
        FaultKind::Reset,
        FaultKind::ShortLength,
        FaultKind::CutInFrame,
        FaultKind::CutAtFrame,
        FaultKind::CutInRecord,
        FaultKind::EmptyBody,
        FaultKind::MetadataOnly,
        FaultKind::Corrupt,
    ];
    for kind in cuts {
        let mut installation = Installation::synthetic(engine).await;
        let pieces = [piece(Schema::Mbp1, &["ES.c.0"], january(4, 5))];
        let job = installation.submit("job", SType::Continuous, &pieces).await;
        let fault = Fault::next(kind, 1).on_path("timeseries.get_range");
        installation.simulator.add_fault(fault);
        let told = installation.work_off(job).await;
        let outcomes = outcomes(&told);
        assert!(
            matches!(outcomes[0], Outcome::Retry { .. }),
            "{kind}: {outcomes:?}"
        );
        assert!(
            matches!(outcomes[1], Outcome::Done { .. }),
            "{kind}: {outcomes:?}"
        );
        let requests = installation.data_requests();
        assert_eq!(requests.len(), 2, "{kind}");
        let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
        assert_eq!(installation.number(open).await, 0, "{kind}");
        let planned = installation
            .number("SELECT billable_bytes FROM chunks")
            .await;
        let bytes = installation.number("SELECT sum(bytes) FROM spend").await;
        let sent: u64 = requests.iter().map(|request| request.bytes).sum();
        // The vendor's log counts whole records; a part of one may have arrived as well.
        let most = i64::try_from(sent).unwrap() + 79;
        assert!(
            (planned..=most).contains(&bytes),
            "{kind}: {bytes} of {sent}"
        );
        let cost = installation.number("SELECT cost_nanousd FROM chunks").await;
        let spent = installation
            .number("SELECT sum(settled_nanousd) FROM spend")
            .await;
        let share = Usd(cost).share(bytes.unsigned_abs(), planned.unsigned_abs());
        assert!(
            spent >= share.0 && spent <= share.0 + 1,
            "{kind}: {spent} for {share}"
        );
        assert_eq!(installation.parts(), 0, "{kind}");
    }
}

async fn a_request_that_would_pass_the_limit_is_not_sent(engine: &Engine) {
    let mut installation = Installation::with(engine, |settings| settings.workers = 1).await;
    let days = january(4, 5);
    let mut planned = Vec::new();
    for symbol in ["ES.c.0", "CL.c.0"] {
        let piece = piece(Schema::Trades, &[symbol], days);
        planned.push(installation.plan(SType::Continuous, &piece).await);
    }
    let mut request = request("job", SType::Continuous, days);
    let both = planned[0].cost + planned[1].cost;
    request.max_cost = Some(Usd(both.0 - 1));
    let job = installation.submit_planned(&request, &planned).await;
    installation.work_off(job).await;
    assert_eq!(installation.data_requests().len(), 1);
    let states = (
        installation.chunks("done").await,
        installation.chunks("pending").await,
    );
    assert_eq!(states, (1, 1));
    let paused = installation
        .text("SELECT reason FROM jobs WHERE state = 'paused'")
        .await;
    assert!(paused.contains("would pass the job's limit"), "{paused}");
    // One billionth more, and it is.
    request.max_cost = Some(both);
    let job = installation.submit_planned(&request, &[]).await;
    installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 2);
}
