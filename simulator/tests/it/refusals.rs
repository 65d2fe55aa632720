//! Every form of refusal.

use simulator::{Config, DEMO_KEY};

use crate::{
    ask::{self, glbx},
    wire::{Answer, Ask, basic, get, send},
};

fn case(answer: &Answer) -> String {
    answer.json()["detail"]["case"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn keys_are_checked() {
    let simulator = ask::small().await;
    let ask = |authorization| Ask {
        method: "GET",
        target: "/v0/metadata.list_datasets",
        authorization,
        body: "",
    };
    let missing = send(&simulator, ask(None)).await;
    assert_eq!(
        (missing.status, missing.text().as_str()),
        (401, r#"{"detail":"Not authenticated"}"#)
    );
    assert_eq!(missing.header("www-authenticate"), Some("Basic"));
    for key in ["db-short", "xx-simulator00000000000000000000"] {
        let bad = send(&simulator, ask(Some(basic(key)))).await;
        assert_eq!(
            (bad.status, case(&bad).as_str()),
            (401, "auth_authentication_failed"),
            "{key}"
        );
    }
    assert_eq!(
        send(&simulator, ask(Some(basic(DEMO_KEY)))).await.status,
        200
    );
}

#[tokio::test]
async fn a_key_of_its_own_shuts_out_others() {
    let key = "db-theonlykeythatisacceptedhere0";
    let simulator = ask::simulator(Config {
        key: Some(key.to_owned()),
        ..Config::default()
    })
    .await;
    let ask = |key| Ask {
        method: "GET",
        target: "/v0/metadata.list_datasets",
        authorization: Some(basic(key)),
        body: "",
    };
    assert_eq!(send(&simulator, ask(key)).await.status, 200);
    assert_eq!(send(&simulator, ask(DEMO_KEY)).await.status, 401);
}

#[tokio::test]
async fn ranges_that_are_not_available_say_what_is() {
    let simulator = ask::small().await;
    for (start, end, expected) in [
        (
            "2024-01-05",
            "2024-01-05",
            "data_time_range_start_on_or_after_end",
        ),
        (
            "2009-01-05",
            "2009-01-06",
            "data_start_before_available_start",
        ),
        ("2024-06-28", "2024-07-02", "data_end_after_available_end"),
        ("2024-07-02", "2024-07-03", "data_start_after_available_end"),
    ] {
        for method in [
            "timeseries.get_range",
            "metadata.get_record_count",
            "metadata.get_cost",
        ] {
            let query = glbx("trades", "ESU4", "raw_symbol", start, end);
            let answer = get(&simulator, &format!("/v0/{method}?{query}")).await;
            assert_eq!(
                (answer.status, case(&answer).as_str()),
                (422, expected),
                "{method} {start}"
            );
            assert_eq!(
                answer.json()["detail"]["payload"]["available_start"],
                "2010-06-06T00:00:00.000000000Z"
            );
            assert!(answer.json()["detail"]["docs"].is_string());
            assert!(answer.header("request-id").is_some());
        }
    }
}

#[tokio::test]
async fn symbols_that_do_not_resolve_are_refused() {
    let simulator = ask::small().await;
    let weekend = ("2024-01-06", "2024-01-07");
    let weekday = ("2024-01-04", "2024-01-05");
    for (symbols, stype, (start, end)) in [
        ("XYZ", "raw_symbol", weekday),
        ("ES.z.0", "continuous", weekday),
        ("ED.FUT", "parent", weekday),
        ("42", "instrument_id", weekday),
        ("ESH4", "raw_symbol", weekend),
        ("ES.c.0", "continuous", weekend),
        ("ALL_SYMBOLS", "raw_symbol", weekend),
    ] {
        let answer = get(
            &simulator,
            &format!(
                "/v0/timeseries.get_range?{}",
                glbx("trades", symbols, stype, start, end)
            ),
        )
        .await;
        assert_eq!(
            (answer.status, case(&answer).as_str()),
            (422, "symbology_invalid_request"),
            "{symbols} {start}"
        );
        assert!(
            answer
                .text()
                .contains("None of the symbols could be resolved"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_named() {
    let simulator = ask::small().await;
    for (query, field) in [
        ("schema=trades&start=2024-01-04", "dataset"),
        ("dataset=GLBX.MDP3&schema=trade&start=2024-01-04", "schema"),
        ("dataset=GLBX.MDP3", "start"),
        ("dataset=GLBX.MDP3&start=yesterday", "start"),
        (
            "dataset=GLBX.MDP3&start=2024-01-04&stype_in=ticker",
            "stype_in",
        ),
        ("dataset=GLBX.MDP3&start=2024-01-04&limit=few", "limit"),
    ] {
        let answer = get(
            &simulator,
            &format!("/v0/metadata.get_record_count?{query}"),
        )
        .await;
        assert_eq!(answer.status, 422, "{query}");
        assert_eq!(answer.json()["detail"][0]["loc"][1], field, "{query}");
    }
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let simulator = ask::small().await;
    assert_eq!(get(&simulator, "/v0/batch.list_jobs").await.status, 404);
    let unknown = get(&simulator, "/v0/metadata.list_schemas?dataset=XXXX.YYYY").await;
    assert_eq!(
        (unknown.status, case(&unknown).as_str()),
        (404, "dataset_not_found")
    );
    let schema = get(
        &simulator,
        "/v0/metadata.get_cost?dataset=GLBX.MDP3&schema=imbalance&start=2024-01-04",
    )
    .await;
    assert_eq!(
        (schema.status, case(&schema).as_str()),
        (422, "data_schema_not_available")
    );
}

#[tokio::test]
async fn two_thousand_symbols_are_the_limit() {
    let simulator = ask::small().await;
    let list = |count: u32| {
        (0..count)
            .map(|n| format!("X{n}"))
            .chain(["ESH4".to_owned()])
            .collect::<Vec<_>>()
            .join("%2C")
    };
    let ask = |symbols: String| format!("dataset=GLBX.MDP3&symbols={symbols}&start=2024-01-04");
    let fits = crate::wire::post(
        &simulator,
        "/v0/metadata.get_record_count",
        &ask(list(1_999)),
    )
    .await;
    assert_eq!(fits.status, 200);
    let excess = crate::wire::post(
        &simulator,
        "/v0/metadata.get_record_count",
        &ask(list(2_000)),
    )
    .await;
    assert_eq!(
        (excess.status, case(&excess).as_str()),
        (422, "symbology_too_many_symbols")
    );
}
