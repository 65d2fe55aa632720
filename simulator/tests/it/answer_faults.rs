//! Faults of whole answers, how they are put in force, and the log that tells of them.

use serde_json::json;
use simulator::{Config, Fault, FaultKind, Refused, Shape};

use crate::{
    ask::{self, count, glbx},
    wire::{Ask, get, post, send},
};

const COUNT: &str = "/v0/metadata.get_record_count?dataset=GLBX.MDP3&symbols=ESH4&start=2024-01-04";

#[tokio::test]
async fn refusals_have_their_status_and_body() {
    let simulator = ask::small().await;
    for (kind, status, part) in [
        (FaultKind::RateLimit, 429, r#"{"detail":"#),
        (FaultKind::Unauthorized, 401, "auth_authentication_failed"),
        (
            FaultKind::InsufficientFunds,
            402,
            "account_insufficient_funds",
        ),
        (FaultKind::ServerErrorText, 503, "upstream connect error"),
        (FaultKind::ServerErrorHtml, 502, "<html>"),
    ] {
        simulator.add_fault(Fault::next(kind, 1));
        let answer = get(&simulator, COUNT).await;
        assert_eq!(answer.status, status);
        assert!(answer.text().contains(part), "{}", answer.text());
        assert_eq!(get(&simulator, COUNT).await.status, 200, "it strikes once");
    }
}

#[tokio::test]
async fn any_refusal_can_be_asked_for_in_any_shape() {
    let simulator = ask::small().await;
    let payload = json!({"available_end": "2024-01-04T00:00:00Z"});
    for (shape, content_type, parts) in [
        (
            Shape::Detail,
            "application/json",
            [r#"{"detail":"the words"}"#, ""],
        ),
        (
            Shape::Case,
            "application/json",
            [r#""case":"a_case""#, r#""docs":"https://"#],
        ),
        (
            Shape::CaseWithoutDocs,
            "application/json",
            [r#""payload":{"available_end""#, r#""status_code":418"#],
        ),
        (
            Shape::Fields,
            "application/json",
            [r#"{"detail":[{"loc":["body"]"#, r#""msg":"the words""#],
        ),
        (Shape::Text, "text/plain", ["the words", ""]),
        (Shape::Html, "text/html", ["<title>the words</title>", ""]),
    ] {
        let refused = Refused {
            status: 418,
            shape,
            case: Some("a_case".to_owned()),
            message: "the words".to_owned(),
            payload: Some(payload.clone()),
        };
        simulator.add_fault(Fault::refusing(refused, 1).lasting(2.5));
        let answer = get(&simulator, COUNT).await;
        assert_eq!(answer.status, 418);
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("retry-after"), Some("3"));
        for part in parts {
            assert!(answer.text().contains(part), "{shape:?}: {}", answer.text());
        }
        assert_eq!(get(&simulator, COUNT).await.status, 200, "it strikes once");
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let simulator = ask::small().await;
    simulator.add_fault(Fault::next(FaultKind::RateLimit, 2).lasting(7.0));
    assert_eq!(
        get(&simulator, COUNT).await.header("retry-after"),
        Some("7")
    );
}

#[tokio::test]
async fn a_late_answer_is_late_and_right() {
    let simulator = ask::small().await;
    let expected = get(&simulator, COUNT).await.text();
    simulator.add_fault(Fault::next(FaultKind::Latency, 1).lasting(0.1));
    let begun = std::time::Instant::now();
    assert_eq!(get(&simulator, COUNT).await.text(), expected);
    assert!(begun.elapsed().as_secs_f64() >= 0.1);
}

#[tokio::test]
async fn a_count_is_off_by_a_few() {
    let simulator = ask::small().await;
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    let right = count(&simulator, &query).await;
    simulator.add_fault(Fault::next(FaultKind::CountOff, 8));
    for _ in 0..8 {
        let off = count(&simulator, &query).await.abs_diff(right);
        assert!((1..=3).contains(&off), "{off}");
    }
    assert_eq!(count(&simulator, &query).await, right);
}

#[tokio::test]
async fn faults_strike_only_where_they_are_meant_to() {
    let simulator = ask::small().await;
    simulator.add_fault(Fault::next(FaultKind::ServerErrorText, 1).on_path("get_cost"));
    simulator.add_fault(Fault::next(FaultKind::RateLimit, 1).of_schema("mbp-1"));
    simulator.add_fault(Fault::next(FaultKind::Unauthorized, 1).of_dataset("XNAS.ITCH"));
    let day = Fault {
        date: Some("2024-01-05".to_owned()),
        ..Fault::next(FaultKind::InsufficientFunds, 1)
    };
    simulator.add_fault(day);
    assert_eq!(get(&simulator, COUNT).await.status, 200);
    assert_eq!(
        get(&simulator, &COUNT.replace("get_record_count", "get_cost"))
            .await
            .status,
        503
    );
    assert_eq!(
        get(&simulator, &format!("{COUNT}&schema=mbp-1"))
            .await
            .status,
        429
    );
    assert_eq!(
        get(
            &simulator,
            &COUNT.replace("GLBX.MDP3&symbols=ESH4", "XNAS.ITCH")
        )
        .await
        .status,
        401
    );
    assert_eq!(
        get(&simulator, &format!("{COUNT}&end=2024-01-06"))
            .await
            .status,
        402
    );
}

#[tokio::test]
async fn probabilities_are_kept_and_follow_the_seed() {
    let mut outcomes = Vec::new();
    for seed in [1, 1, 2] {
        let simulator = ask::simulator(Config {
            seed,
            ..Config::default()
        })
        .await;
        simulator.add_fault(Fault::probability(FaultKind::ServerErrorText, 0.3));
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(get(&simulator, "/v0/metadata.list_datasets").await.status);
        }
        let struck = statuses.iter().filter(|status| **status == 503).count();
        assert!((6..=32).contains(&struck), "{struck} of 60");
        outcomes.push(statuses);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_ne!(outcomes[0], outcomes[2]);
}

#[tokio::test]
async fn faults_are_posted_listed_and_deleted_over_http() {
    let simulator = ask::small().await;
    let posted = post(
        &simulator,
        "/sim/faults",
        r#"{"kind": "rate-limit", "next": 3, "seconds": 2, "path": "get_record_count"}"#,
    )
    .await;
    assert_eq!(
        (posted.status, &posted.json()[0]["kind"]),
        (200, &serde_json::json!("rate-limit"))
    );
    assert_eq!(get(&simulator, COUNT).await.status, 429);
    assert_eq!(get(&simulator, "/sim/faults").await.json()[0]["next"], 2);
    let delete = Ask {
        method: "DELETE",
        target: "/sim/faults",
        authorization: None,
        body: "",
    };
    assert_eq!(send(&simulator, delete).await.json(), serde_json::json!([]));
    assert_eq!(get(&simulator, COUNT).await.status, 200);
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused_with_the_reason() {
    let simulator = ask::small().await;
    for (body, reason) in [
        (
            r#"{"kind": "cut-in-frame", "nxt": 5}"#,
            "unknown field `nxt`",
        ),
        (
            r#"{"kind": "cut-in-half", "next": 5}"#,
            "unknown variant `cut-in-half`",
        ),
        (r#"{"kind": "cut-in-frame"}"#, "needs one of `next`"),
        (
            r#"{"kind": "cut-in-frame", "probability": 1.5}"#,
            "not between 0 and 1",
        ),
        (
            r#"{"kind": "refusal", "next": 1, "refusal": {"status": 200}}"#,
            "of 400 to 599",
        ),
        (
            r#"{"kind": "latency", "next": 1, "refusal": {"status": 404}}"#,
            "no other kind",
        ),
        (r#"{"kind": "refusal", "next": 1}"#, "needs `refusal`"),
        (r#"{"kind": "pending"}"#, "needs `date`"),
        (r#"{"kind": "pending", "date": "tomorrow"}"#, "no date"),
        ("five", "failed to read the fault"),
    ] {
        let answer = post(&simulator, "/sim/faults", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(reason), "{body}: {}", answer.text());
    }
}

#[test]
fn faults_are_read_from_the_command_line() {
    let fault: Fault = "latency:probability=0.1,seconds=2"
        .parse()
        .expect("a fault");
    assert_eq!(
        fault,
        Fault::probability(FaultKind::Latency, 0.1).lasting(2.0)
    );
    let fault: Fault = "cut-in-frame:next=5".parse().expect("a fault");
    assert_eq!(fault, Fault::next(FaultKind::CutInFrame, 5));
    let fault: Fault = "missing:date=2024-01-02".parse().expect("a fault");
    assert_eq!(fault, Fault::day(FaultKind::Missing, "2024-01-02"));
    let fault: Fault = "refusal:next=1,status=404,shape=detail,message=no data"
        .parse()
        .expect("a fault");
    let refused = Refused {
        status: 404,
        shape: Shape::Detail,
        message: "no data".to_owned(),
        ..Refused::default()
    };
    assert_eq!(fault, Fault::refusing(refused, 1));
    assert!("cut-in-frame:often".parse::<Fault>().is_err());
    assert!("cut-in-frame".parse::<Fault>().is_err());
}

#[tokio::test]
async fn the_log_adds_up_to_what_would_be_billed() {
    let simulator = ask::small().await;
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    let expected = count(&simulator, &query).await;
    ask::range(&simulator, &query).await;
    ask::range(
        &simulator,
        &glbx("trades", "ESH4", "raw_symbol", "2024-01-06", "2024-01-07"),
    )
    .await;
    let log = get(&simulator, "/sim/requests").await.json();
    let logged = |index: usize| {
        (
            log[index]["status"].clone(),
            log[index]["records"].clone(),
            log[index]["bytes"].clone(),
        )
    };
    assert_eq!(logged(0), (200.into(), 0.into(), 0.into()));
    assert_eq!(
        logged(1),
        (200.into(), expected.into(), (expected * 48).into())
    );
    assert_eq!(logged(2), (422.into(), 0.into(), 0.into()));
    assert_eq!(log[1]["path"], "/v0/timeseries.get_range");
    assert_eq!(log[1]["params"]["symbols"], "ESH4");
    assert_eq!(log[1]["fault"], serde_json::Value::Null);
    assert!(!log.to_string().contains(simulator::DEMO_KEY));
}
