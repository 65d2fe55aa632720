//! Answers that refuse a request, in every form of body that the vendor uses.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

use crate::clock::Nanos;

pub(crate) const DOCS: &str = "https://databento.com/docs/api-reference-historical/basics/errors";

/// A request refused.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// `{"detail": "text"}`.
    Plain { status: u16, detail: String },
    /// `{"detail": {"case": …, "message": …, "status_code": …, "docs": …, "payload": …}}`.
    Business {
        status: u16,
        case: &'static str,
        message: String,
        payload: Value,
    },
    /// `{"detail": [{"loc": …, "msg": …, "type": …}]}`: a parameter that is missing or unreadable.
    Field {
        name: &'static str,
        message: String,
        kind: &'static str,
    },
    /// 429.
    RateLimit { retry_after_seconds: u64 },
    /// A body that isn't JSON, as from a proxy on the way.
    Foreign {
        status: u16,
        content_type: &'static str,
        body: &'static str,
    },
    /// What a fault asks for, word for word.
    Worded {
        status: u16,
        content_type: &'static str,
        body: String,
        retry_after_seconds: Option<u64>,
    },
}

impl Refusal {
    pub(crate) fn plain(status: u16, detail: impl Into<String>) -> Self {
        Self::Plain {
            status,
            detail: detail.into(),
        }
    }

    pub(crate) fn business(status: u16, case: &'static str, message: impl Into<String>) -> Self {
        Self::Business {
            status,
            case,
            message: message.into(),
            payload: Value::Null,
        }
    }

    pub(crate) fn field(name: &'static str, message: &str, kind: &'static str) -> Self {
        Self::Field {
            name,
            message: message.to_owned(),
            kind,
        }
    }

    /// A range of time that isn't, or isn't wholly, available.
    pub(crate) fn range(
        case: &'static str,
        message: String,
        dataset: &str,
        asked: (Nanos, Nanos),
        available: (Nanos, Nanos),
    ) -> Self {
        let payload = json!({
            "dataset": dataset,
            "start": asked.0.to_string(),
            "end": asked.1.to_string(),
            "available_start": available.0.to_string(),
            "available_end": available.1.to_string(),
        });
        Self::Business {
            status: 422,
            case,
            message,
            payload,
        }
    }

    pub(crate) fn bad_key() -> Self {
        Self::business(
            401,
            "auth_authentication_failed",
            "Authentication failed: the API key is invalid or deactivated.",
        )
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Plain { status, .. }
            | Self::Business { status, .. }
            | Self::Foreign { status, .. }
            | Self::Worded { status, .. } => *status,
            Self::Field { .. } => 422,
            Self::RateLimit { .. } => 429,
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let status =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (content_type, body) = match &self {
            Self::Foreign {
                content_type, body, ..
            } => (*content_type, (*body).to_owned()),
            Self::Worded {
                content_type, body, ..
            } => (*content_type, body.clone()),
            _ => ("application/json", self.json().to_string()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        match self {
            Self::Plain { status: 401, .. } => {
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
            }
            Self::RateLimit {
                retry_after_seconds,
            }
            | Self::Worded {
                retry_after_seconds: Some(retry_after_seconds),
                ..
            } => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            }
            _ => {}
        }
        response
    }

    fn json(&self) -> Value {
        match self {
            Self::Plain { detail, .. } => json!({ "detail": detail }),
            Self::Business {
                status,
                case,
                message,
                payload,
            } => {
                let mut detail = json!({
                    "case": case,
                    "message": message,
                    "status_code": status,
                    "docs": DOCS,
                });
                if !payload.is_null() {
                    detail["payload"] = payload.clone();
                }
                json!({ "detail": detail })
            }
            Self::Field {
                name,
                message,
                kind,
            } => {
                json!({ "detail": [{ "loc": ["body", name], "msg": message, "type": kind }] })
            }
            Self::RateLimit { .. } => {
                json!({ "detail": "Rate limit exceeded: too many requests." })
            }
            Self::Foreign { .. } | Self::Worded { .. } => Value::Null,
        }
    }
}
