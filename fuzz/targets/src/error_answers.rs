//! The bodies of the vendor's refusals, as our request and as its own client read them.

use std::collections::HashMap;
use std::mem::discriminant;
use std::time::Duration;

use common::vendor::VendorError;
use databento::error::ApiError;
use reqwest::StatusCode;
use serde::Deserialize;

/// The shapes of a body that the vendor's client knows.
#[derive(Deserialize)]
#[serde(untagged)]
enum Known {
    Simple { detail: String },
    Business { detail: Business },
}

#[derive(Deserialize)]
struct Business {
    case: Option<String>,
    message: String,
    docs: String,
    #[serde(default)]
    payload: Option<HashMap<String, serde_json::Value>>,
}

/// The status by the first byte, what `Retry-After` says by the second, and the body.
///
/// # Panics
/// When the two ways of reading it lead to different errors, or its words can't be kept: as one line
/// of text that is not too long.
pub fn error_answers(bytes: &[u8]) -> bool {
    let [status, retry_after, body @ ..] = bytes else {
        return false;
    };
    let status = 400 + u16::from(*status) % 200;
    let retry_after = (*retry_after > 0).then(|| Duration::from_secs(u64::from(*retry_after)));
    let body = String::from_utf8_lossy(body);
    let ours = VendorError::from_answer(status, retry_after, &body);
    let theirs = VendorError::from(databento::Error::Api(as_client_reads(status, &body)));
    assert_eq!(
        discriminant(&ours),
        discriminant(&theirs),
        "{ours:?} is not {theirs:?}"
    );
    let secret = "db-0123456789abcdefghijklmnopqrs";
    for error in [ours, theirs] {
        let text = error.without(secret).to_string();
        assert!(!text.contains(secret));
        assert!(text.chars().count() <= 1_200, "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    serde_json::from_str::<Known>(&body).is_ok()
}

fn as_client_reads(status: u16, body: &str) -> ApiError {
    let unread = ApiError {
        request_id: None,
        status_code: StatusCode::from_u16(status).expect("it has three digits"),
        case: None,
        message: body.to_owned(),
        docs_url: None,
        payload: None,
    };
    match serde_json::from_str(body) {
        Ok(Known::Simple { detail: message }) => ApiError { message, ..unread },
        Ok(Known::Business { detail }) => ApiError {
            case: detail.case,
            message: detail.message,
            docs_url: Some(detail.docs),
            payload: detail.payload.map(Box::new),
            ..unread
        },
        Err(_) => unread,
    }
}
