//! What is kept back: by a licence, by an entitlement, or because a schema begins or ends.

use serde_json::Value;
use simulator::{Fault, FaultKind, Simulator};

use crate::{
    ask::{self, count, glbx},
    wire::{Answer, get},
};

fn trades_of(days: (&str, &str)) -> String {
    glbx("trades", "ESH4", "raw_symbol", days.0, days.1)
}

async fn asked(simulator: &Simulator, method: &str, query: &str) -> Answer {
    get(simulator, &format!("/v0/{method}?{query}")).await
}

#[tokio::test]
async fn what_reaches_across_is_refused_as_the_vendor_does_and_the_rest_is_there() {
    let cases = [
        (FaultKind::Licence, 403, "license_not_found_unauthorized"),
        (
            FaultKind::UnavailableRange,
            422,
            "dataset_unavailable_range",
        ),
        (
            FaultKind::SchemaEnds,
            422,
            "data_schema_not_fully_available",
        ),
    ];
    for (kind, status, case) in cases {
        let simulator = ask::small().await;
        let before = count(&simulator, &trades_of(("2024-01-02", "2024-01-04"))).await;
        simulator.add_fault(Fault::day(kind, "2024-01-04"));
        let across = trades_of(("2024-01-02", "2024-01-06"));
        for method in ["timeseries.get_range", "metadata.get_record_count"] {
            let answer = asked(&simulator, method, &across).await;
            assert_eq!(answer.status, status, "{kind} {method}");
            let detail = answer.json()["detail"].clone();
            assert_eq!(detail["case"], case);
            let told = format!(
                "{} {}",
                detail["message"], detail["payload"]["available_end"]
            );
            assert!(told.contains("2024-01-04T00:00:00"), "{told}");
        }
        let after = count(&simulator, &trades_of(("2024-01-02", "2024-01-04"))).await;
        assert_eq!(after, before, "{kind}");
        simulator.clear_faults();
        assert!(count(&simulator, &across).await > before);
    }
}

#[tokio::test]
async fn a_licence_can_be_needed_for_streams_alone() {
    let simulator = ask::small().await;
    let fault = Fault::day(FaultKind::Licence, "2024-01-04");
    simulator.add_fault(fault.on_path("timeseries.get_range"));
    let across = trades_of(("2024-01-02", "2024-01-06"));
    assert!(count(&simulator, &across).await > 0);
    let answer = asked(&simulator, "timeseries.get_range", &across).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_schemas_range_says_from_when_to_when_it_is_there() {
    let simulator = ask::small().await;
    let begins = Fault::day(FaultKind::SchemaBegins, "2020-01-01").of_schema("status");
    simulator.add_fault(begins);
    simulator.add_fault(Fault::day(FaultKind::SchemaEnds, "2024-01-04").of_schema("trades"));
    let range: Value = get(
        &simulator,
        "/v0/metadata.get_dataset_range?dataset=GLBX.MDP3",
    )
    .await
    .json();
    let of = |schema: &str, end: &str| {
        range["schema"][schema][end]
            .as_str()
            .map(|at| at[..10].to_owned())
    };
    assert_eq!(of("status", "start").as_deref(), Some("2020-01-01"));
    assert_eq!(of("trades", "start").as_deref(), Some("2010-06-06"));
    assert_eq!(of("trades", "end").as_deref(), Some("2024-01-04"));
    let early = glbx("status", "ESH4", "raw_symbol", "2019-12-30", "2020-01-03");
    let answer = asked(&simulator, "metadata.get_record_count", &early).await;
    let detail = answer.json()["detail"].clone();
    assert_eq!(detail["case"], "data_schema_not_fully_available");
    assert_eq!(
        detail["payload"]["available_start"],
        "2020-01-01T00:00:00.000000000Z"
    );
}
