//! A refusal in the words of whoever asks for the fault, in any shape that the vendor's have.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::refusal::{DOCS, Refusal};

/// The shape of a refusal's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// `{"detail": "message"}`.
    Detail,
    /// `{"detail": {"case": …, "message": …, "status_code": …, "docs": …, "payload": …}}`.
    #[default]
    Case,
    /// The same without `docs`, which the official Rust client doesn't read.
    CaseWithoutDocs,
    /// `{"detail": [{"loc": …, "msg": "message", "type": …}]}`.
    Fields,
    /// The message as plain text, as from a proxy on the way.
    Text,
    /// A page of HTML with the message.
    Html,
}

/// What a `refusal` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The shape of the body.
    #[serde(default)]
    pub shape: Shape,
    /// The vendor's name for the case, such as `data_end_after_available_end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The words.
    #[serde(default)]
    pub message: String,
    /// Further data about the case, in the shapes of a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

impl Refused {
    /// The answer, with `Retry-After` where seconds are given.
    pub(crate) fn answer(&self, retry_after_seconds: Option<u64>) -> Refusal {
        let message = &self.message;
        let (content_type, body) = match self.shape {
            Shape::Text => ("text/plain", message.clone()),
            Shape::Html => (
                "text/html",
                format!("<html>\n<head><title>{message}</title></head>\n<body></body>\n</html>\n"),
            ),
            Shape::Detail => ("application/json", json!({ "detail": message }).to_string()),
            Shape::Fields => (
                "application/json",
                json!({"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]})
                    .to_string(),
            ),
            Shape::Case | Shape::CaseWithoutDocs => ("application/json", self.of_case()),
        };
        Refusal::Worded {
            status: self.status,
            content_type,
            body,
            retry_after_seconds,
        }
    }

    fn of_case(&self) -> String {
        let mut detail = json!({
            "case": self.case,
            "message": self.message,
            "status_code": self.status,
        });
        if self.shape == Shape::Case {
            detail["docs"] = DOCS.into();
        }
        if let Some(payload) = &self.payload {
            detail["payload"] = payload.clone();
        }
        json!({ "detail": detail }).to_string()
    }
}
