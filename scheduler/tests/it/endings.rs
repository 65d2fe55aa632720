//! Streams that end badly, and a vendor that refuses: each leads to the full count or to a clear
//! stop, none to a short chunk.

use simulator::{Fault, FaultKind};
use testkit::checksum::tables;

use crate::installation::Installation;

const JOB: &str = "
name: endings
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-08
end: 2024-01-09
";

/// Runs the job once undisturbed and once with the fault in each of the next requests.
async fn ends_with_the_same_tables(fault: Fault) {
    let undisturbed = Installation::synthetic().await;
    let job = undisturbed.job(JOB);
    undisturbed.succeed(&["run", &job]).await;
    let expected = undisturbed.tables().await;
    assert!(expected["trades_data"].rows > 200);

    let installation = Installation::synthetic().await;
    let kind = fault.kind;
    installation.fault(fault);
    let job = installation.job(JOB);
    let output = installation
        .command(&["run", &job])
        .env("BACKHAUL_READ_TIMEOUT_SECONDS", "1")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{kind}: {output:?}");
    let struck = installation.simulator.requests();
    assert!(
        struck.iter().any(|request| request.fault.is_some()),
        "{kind} struck nothing"
    );
    assert_eq!(
        tables(&installation.sandbox.database()).await,
        expected,
        "{kind}"
    );
    let status = installation.status().await;
    assert_eq!(status["complete"], true, "{kind}: {status}");
}

fn of_stream(kind: FaultKind) -> Fault {
    Fault {
        path: Some("timeseries.get_range".to_owned()),
        ..Fault::next(kind, 2)
    }
}

macro_rules! endings {
    ($($name:ident: $kind:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                ends_with_the_same_tables(of_stream(FaultKind::$kind)).await;
            }
        )*
    };
}

endings! {
    a_connection_that_is_reset_is_tried_again: Reset,
    a_body_shorter_than_its_length_is_tried_again: ShortLength,
    a_stream_cut_inside_a_frame_is_tried_again: CutInFrame,
    a_stream_cut_between_frames_is_tried_again: CutAtFrame,
    a_stream_cut_inside_a_record_is_tried_again: CutInRecord,
    an_empty_body_is_tried_again: EmptyBody,
    a_header_without_records_is_tried_again: MetadataOnly,
    a_stream_that_stalls_is_tried_again: Stall,
    a_damaged_stream_is_tried_again: Corrupt,
    an_answer_that_comes_late_is_waited_for: Latency,
    a_rate_limit_is_waited_for: RateLimit,
    a_failing_server_is_tried_again: ServerErrorText,
    a_failing_server_that_answers_in_html_is_tried_again: ServerErrorHtml,
}

#[tokio::test]
async fn a_count_that_disagrees_is_asked_for_again() {
    ends_with_the_same_tables(Fault::next(FaultKind::CountOff, 1)).await;
}

#[tokio::test]
async fn a_stream_that_never_ends_well_leaves_no_row_and_says_what_is_missing() {
    let installation = Installation::synthetic().await;
    installation.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let job = installation.job(JOB);
    let said = installation.run(&["run", &job]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stdout.contains("incomplete"), "{said:?}");
    assert!(said.stdout.contains("where the vendor counts"), "{said:?}");
    let status = installation.status().await;
    assert_eq!(status["chunks"]["dead"], 1, "{status}");
    assert_eq!(status["records"]["loaded"], 0, "{status}");
    assert!(installation.tables().await.is_empty());

    // The user runs it again once the vendor is well.
    installation.simulator.clear_faults();
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn a_refused_key_during_the_work_pauses_it_and_loses_nothing() {
    for kind in [FaultKind::Unauthorized, FaultKind::InsufficientFunds] {
        let installation = Installation::synthetic().await;
        installation.fault(of_stream(kind));
        let job = installation.job(JOB);
        let said = installation.run(&["run", &job]).await;
        assert_eq!(said.code, Some(3), "{kind}: {said:?}");
        assert!(said.stdout.contains("the vendor"), "{kind}: {said:?}");
        let status = installation.status().await;
        assert_eq!(status["state"], "paused", "{kind}");
        assert_eq!(status["chunks"]["dead"], 0, "{kind}");
        installation.simulator.clear_faults();
        installation.succeed(&["run", &job]).await;
        assert_eq!(installation.status().await["complete"], true, "{kind}");
    }
}
