//! What each of the vendor's refusals means, in every shape that its body has.

use std::time::Duration;

use common::time::Nanos;
use common::vendor::VendorError;

/// The vendor's full shape.
fn case(status: u16, case: &str, message: &str) -> VendorError {
    let body = serde_json::json!({"detail": {
        "case": case,
        "message": message,
        "status_code": status,
        "docs": "https://databento.com/docs/api-reference-historical/basics/errors",
        "payload": null,
    }});
    VendorError::from_answer(status, None, &body.to_string())
}

fn available_end(error: &VendorError) -> Option<String> {
    match error {
        VendorError::NotYet { available_end, .. } => available_end.map(|end| end.to_string()),
        other => panic!("not `NotYet`: {other:?}"),
    }
}

#[test]
fn a_refused_key_is_fatal() {
    let error = case(401, "auth_authentication_failed", "Authentication failed.");
    assert!(
        matches!(error, VendorError::Unauthorized { message } if message == "Authentication failed.")
    );
    let error = VendorError::from_answer(401, None, r#"{"detail":"Not authenticated"}"#);
    assert!(
        matches!(error, VendorError::Unauthorized { message } if message == "Not authenticated")
    );
    assert!(matches!(
        VendorError::from_answer(401, None, ""),
        VendorError::Unauthorized { .. }
    ));
}

#[test]
fn an_account_that_cannot_pay_or_is_locked_is_held_back() {
    let error = case(402, "account_insufficient_funds", "Insufficient funds.");
    assert!(
        matches!(error, VendorError::AccountHeld { message } if message == "Insufficient funds.")
    );
    let error = case(403, "auth_account_locked", "The account is locked.");
    assert!(
        matches!(error, VendorError::AccountHeld { message } if message == "The account is locked.")
    );
}

#[test]
fn a_missing_licence_means_not_yet_and_until_when() {
    let error = case(
        403,
        "license_not_found_unauthorized",
        "A live data license is required to access GLBX.MDP3 data after 2024-01-05T10:00:00.000000000Z.",
    );
    assert_eq!(
        available_end(&error).as_deref(),
        Some("2024-01-05T10:00:00.000000000Z")
    );
}

#[test]
fn another_403_is_refused_for_good() {
    let error = case(403, "permission_denied", "Not for you.");
    assert!(
        matches!(error, VendorError::Refused { status: 403, .. }),
        "{error:?}"
    );
}

#[test]
fn no_data_and_an_unknown_dataset_are_refused_for_good() {
    for body in [
        r#"{"detail":"Dataset not found"}"#,
        r#"{"detail":{"case":"data_not_found","message":"no data"}}"#,
    ] {
        let error = VendorError::from_answer(404, None, body);
        assert!(
            matches!(error, VendorError::Refused { status: 404, .. }),
            "{error:?}"
        );
    }
}

#[test]
fn an_end_after_the_available_end_means_not_yet_by_the_payload() {
    let body = serde_json::json!({"detail": {
        "case": "data_end_after_available_end",
        "message": "The dataset GLBX.MDP3 has data available up to '2024-01-06 00:00:00+00:00'. The `end` in the query is after the available range.",
        "status_code": 422,
        "docs": "https://databento.com/docs",
        "payload": {
            "dataset": "GLBX.MDP3",
            "start": "2024-01-04T00:00:00.000000000Z",
            "end": "2024-01-07T00:00:00.000000000Z",
            "available_start": "2010-06-06T00:00:00.000000000Z",
            "available_end": "2024-01-05T10:00:00.000000001Z",
        },
    }});
    let error = VendorError::from_answer(422, None, &body.to_string());
    assert_eq!(
        available_end(&error).as_deref(),
        Some("2024-01-05T10:00:00.000000001Z")
    );
}

#[test]
fn without_a_payload_the_available_end_is_read_from_the_sentence() {
    let sentences = [
        (
            "data_end_after_available_end",
            "The dataset GLBX.MDP3 has data available up to '2024-01-05 10:00:00+00:00'. The `end` in the query is later.",
        ),
        (
            "data_start_after_available_end",
            "The dataset has data available up to \"2024-01-05 10:00:00+00:00\".",
        ),
        (
            "dataset_unavailable_range",
            "Part of the range requires a subscription and/or license. Try again with an end time before 2024-01-05T10:00:00.000000000Z.",
        ),
        (
            "dataset_unavailable_range",
            "Try again with an end time before 2024-01-05T10:00:00Z, or buy a license.",
        ),
        (
            "dataset_unavailable_range",
            "It requires a license (try an end before 2024-01-05T10:00:00Z).",
        ),
    ];
    for (name, sentence) in sentences {
        let error = case(422, name, sentence);
        let end = available_end(&error);
        assert_eq!(
            end.as_deref(),
            Some("2024-01-05T10:00:00.000000000Z"),
            "{sentence}"
        );
    }
}

#[test]
fn not_yet_without_any_instant_is_still_not_yet() {
    let error = case(
        422,
        "dataset_unavailable_range",
        "It requires a subscription.",
    );
    assert_eq!(available_end(&error), None);
}

#[test]
fn symbols_that_resolve_to_nothing_mean_no_session() {
    for sentence in [
        "None of the symbols could be resolved",
        "Could not resolve smart symbols: ED.FUT",
    ] {
        let error = case(422, "symbology_invalid_request", sentence);
        assert!(matches!(error, VendorError::NoSession { message } if message == sentence));
    }
}

/// A refusal of the range from the 2nd to the 9th of January 2024, with what is available.
fn refused_range(case: &str, available: (&str, &str)) -> VendorError {
    let body = serde_json::json!({"detail": {
        "case": case,
        "message": "No.",
        "payload": {
            "start": "2024-01-02T00:00:00.000000000Z",
            "end": "2024-01-09T00:00:00.000000000Z",
            "available_start": available.0,
            "available_end": available.1,
        },
    }});
    VendorError::from_answer(422, None, &body.to_string())
}

#[test]
fn a_range_that_begins_too_early_says_from_when_there_is_data() {
    let start = "2024-01-04T00:00:00.000000000Z";
    let late = "2024-02-01T00:00:00.000000000Z";
    for name in [
        "data_start_before_available_start",
        "data_schema_not_fully_available",
    ] {
        match refused_range(name, (start, late)) {
            VendorError::BeforeStart {
                available_start: Some(told),
                ..
            } => assert_eq!(told.to_string(), start),
            other => panic!("{name}: {other:?}"),
        }
    }
    let sentence =
        "`start` is before the available start of dataset X: '2024-01-04 00:00:00+00:00'.";
    match case(422, "data_start_before_available_start", sentence) {
        VendorError::BeforeStart {
            available_start: Some(told),
            ..
        } => assert_eq!(told.to_string(), start),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_schema_that_ends_within_the_range_is_not_there_yet() {
    let end = "2024-01-06T00:00:00.000000000Z";
    let early = "2010-01-01T00:00:00.000000000Z";
    let error = refused_range("data_schema_not_fully_available", (early, end));
    assert_eq!(available_end(&error).as_deref(), Some(end));
    // Without a payload the range of the schema is asked for.
    let error = case(422, "data_schema_not_fully_available", "No.");
    assert_eq!(available_end(&error), None);
}

#[test]
fn other_422s_are_refused_for_good_with_their_case() {
    let cases = [
        "data_time_range_start_on_or_after_end",
        "symbology_invalid_symbol",
        "a_case_of_tomorrow",
    ];
    for name in cases {
        match case(422, name, "No.") {
            VendorError::Refused {
                status: 422,
                case: Some(case),
                message,
            } => {
                assert_eq!((case.as_str(), message.as_str()), (name, "No."));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    let text = case(422, "symbology_invalid_symbol", "No.").to_string();
    assert_eq!(
        text,
        "the vendor refused the request (HTTP 422, symbology_invalid_symbol): No."
    );
}

#[test]
fn too_many_requests_carry_how_long_to_wait() {
    let wait = Some(Duration::from_secs(7));
    let body = r#"{"detail":"Rate limit exceeded"}"#;
    for retry_after in [wait, None] {
        let error = VendorError::from_answer(429, retry_after, body);
        assert!(
            matches!(error, VendorError::RateLimited { retry_after: given } if given == retry_after)
        );
    }
}

#[test]
fn failures_of_the_service_are_passing_whatever_their_body() {
    let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>";
    let bodies = [
        html,
        "upstream connect error",
        "",
        r#"{"detail":"oops"}"#,
        "{",
        "null",
        "[]",
    ];
    for status in [408, 500, 502, 503, 504, 520] {
        for body in bodies {
            let error = VendorError::from_answer(status, None, body);
            assert!(
                matches!(error, VendorError::Unavailable { status: given, .. } if given == status)
            );
        }
    }
    let error = VendorError::from_answer(502, None, html);
    assert_eq!(
        error.to_string(),
        "the vendor's service failed (HTTP 502): 502 Bad Gateway 502 Bad Gateway"
    );
}

#[test]
fn a_list_of_wrong_fields_names_each_of_them() {
    let body = r#"{"detail":[
        {"loc":["body","schema"],"msg":"value is not a valid enumeration member","type":"type_error.enum"},
        {"loc":["body","symbols",3],"msg":"str type expected","type":"type_error.str"},
        {"msg":"field required"}]}"#;
    match VendorError::from_answer(422, None, body) {
        VendorError::Refused {
            status: 422,
            case: None,
            message,
        } => assert_eq!(
            message,
            "schema: value is not a valid enumeration member; str type expected; field required"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_case_counts_without_docs_payload_or_message() {
    let body = r#"{"detail":{"case":"data_end_after_available_end","message":"up to '2024-01-05 10:00:00+00:00'"}}"#;
    let error = VendorError::from_answer(422, None, body);
    assert_eq!(
        available_end(&error).as_deref(),
        Some("2024-01-05T10:00:00.000000000Z")
    );
    let body = r#"{"detail":{"case":"symbology_invalid_request"}}"#;
    let error = VendorError::from_answer(422, None, body);
    assert!(matches!(error, VendorError::NoSession { .. }), "{error:?}");
}

#[test]
fn a_case_counts_whatever_its_payload_is() {
    for payload in [
        serde_json::json!([1, 2]),
        serde_json::json!("text"),
        serde_json::json!({"available_end": 7}),
    ] {
        let body = serde_json::json!({"detail": {
            "case": "dataset_unavailable_range", "message": "Not yet.", "payload": payload,
        }});
        let error = VendorError::from_answer(422, None, &body.to_string());
        assert_eq!(available_end(&error), None, "{payload}");
    }
}

#[test]
fn a_sentence_keeps_what_it_compares() {
    let error = case(
        422,
        "data_time_range_start_on_or_after_end",
        "`start` must be < `end`, and both > 2010.",
    );
    assert!(
        error
            .to_string()
            .ends_with("`start` must be < `end`, and both > 2010."),
        "{error}"
    );
}

#[test]
fn a_long_answer_is_cut() {
    let error = VendorError::from_answer(500, None, &"é".repeat(10_000));
    let VendorError::Unavailable { message, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(message.chars().count(), 500);
}

/// What the vendor's own client makes of the same answers.
mod through_the_client {
    use super::*;
    use databento::error::ApiError;

    fn api(status: u16, case: Option<&str>, message: &str) -> VendorError {
        let error = ApiError {
            request_id: None,
            status_code: reqwest::StatusCode::from_u16(status).expect("a status"),
            case: case.map(str::to_owned),
            message: message.to_owned(),
            docs_url: None,
            payload: None,
        };
        VendorError::from(databento::Error::Api(error))
    }

    #[test]
    fn a_case_that_the_client_read_keeps_its_meaning() {
        let error = api(422, Some("symbology_invalid_request"), "None resolved");
        assert!(matches!(error, VendorError::NoSession { .. }), "{error:?}");
        let error = api(429, None, "slow down");
        assert!(
            matches!(error, VendorError::RateLimited { .. }),
            "{error:?}"
        );
        let error = api(401, Some("auth_authentication_failed"), "no");
        assert!(
            matches!(error, VendorError::Unauthorized { .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_body_that_the_client_could_not_read_is_read_again() {
        let body = r#"{"detail":{"case":"data_end_after_available_end","message":"up to '2024-01-05 10:00:00+00:00'"}}"#;
        let error = api(422, None, body);
        let wanted: Nanos = "2024-01-05T10:00:00Z".parse().expect("an instant");
        assert_eq!(available_end(&error), Some(wanted.to_string()));
        let error = api(
            403,
            None,
            r#"{"detail":{"case":"auth_account_locked","message":"locked"}}"#,
        );
        assert!(
            matches!(error, VendorError::AccountHeld { .. }),
            "{error:?}"
        );
        let error = api(
            422,
            None,
            r#"{"detail":[{"loc":["body","limit"],"msg":"too large"}]}"#,
        );
        assert!(error.to_string().ends_with("limit: too large"), "{error}");
    }
}

#[test]
fn a_secret_that_the_other_side_repeats_is_taken_out() {
    let secret = "db-test000000000000000000000000x";
    for status in [400, 401, 402, 403, 404, 422, 500] {
        let body = format!("{{\"detail\":\"bad key {secret}\"}}");
        let error = VendorError::from_answer(status, None, &body).without(secret);
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains(secret) && shown.contains("bad key …"),
            "{shown}"
        );
    }
}

#[test]
fn words_that_a_database_or_a_terminal_would_not_take_as_text_are_blanks() {
    let body = r#"{"detail":"a\u0000b\u001b[31m"}"#;
    let VendorError::Unavailable { message, .. } = VendorError::from_answer(500, None, body) else {
        panic!("another error");
    };
    assert_eq!(message, "a b [31m");
    let VendorError::Refused { case, .. } = case(400, "a\0b\n", "") else {
        panic!("another error");
    };
    assert_eq!(case.as_deref(), Some("a b"));
}
