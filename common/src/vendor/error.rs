//! What the vendor's answers and the network's failures mean to us.
//!
//! | answer | meaning |
//! |---|---|
//! | 401 | the key is refused: fatal for the fleet |
//! | 402, 403 locked | no paid work until the account is mended |
//! | 403 licence, 422 `data_end_after_available_end`, `dataset_unavailable_range` | not yet |
//! | 422 `data_start_after_available_end` | not yet, the whole range |
//! | 422 `data_start_before_available_start` | what lies before never was there |
//! | 422 `data_schema_not_fully_available` | either of these, as its payload says; else the range of the schema does |
//! | 404, other 4xx | permanent for the request |
//! | 422 `symbology_invalid_request` | no session in this window |
//! | 408, 429, 5xx, the network | try again |

use std::time::Duration;

use serde::Deserialize;

use crate::time::Nanos;

const MESSAGE_CHARS_MAX: usize = 500;
/// The payload's fields that say from when and until when data can be asked for, and was.
const START: &str = "available_start";
const END: &str = "available_end";
const ASKED_START: &str = "start";
const ASKED_END: &str = "end";

/// Why the vendor's service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// The key is not known, or was revoked.
    #[error("the vendor refused the API key: {message}")]
    Unauthorized {
        /// The vendor's words.
        message: String,
    },
    /// The account can't pay, or is locked.
    #[error("the vendor holds the account back: {message}")]
    AccountHeld {
        /// The vendor's words.
        message: String,
    },
    /// The range ends after what is available, or licensed.
    #[error("the vendor doesn't have the range yet: {message}")]
    NotYet {
        /// Until when data can be asked for, where the vendor says so.
        available_end: Option<Nanos>,
        /// The vendor's words.
        message: String,
    },
    /// The range begins before the vendor's data does.
    #[error("the vendor's data begins later than the range: {message}")]
    BeforeStart {
        /// From when data can be asked for, where the vendor says so.
        available_start: Option<Nanos>,
        /// The vendor's words.
        message: String,
    },
    /// None of the symbols exists in the window: no session, or not listed.
    #[error("no symbol resolves in this window: {message}")]
    NoSession {
        /// The vendor's words.
        message: String,
    },
    /// The request is wrong, and will be wrong again.
    #[error("the vendor refused the request (HTTP {status}{}): {message}", case_suffix(case.as_deref()))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The vendor's name for the case.
        case: Option<String>,
        /// The vendor's words.
        message: String,
    },
    /// Too many requests.
    #[error("the vendor asks for fewer requests")]
    RateLimited {
        /// How long to wait, where the vendor says so.
        retry_after: Option<Duration>,
    },
    /// The service failed; it may work later.
    #[error("the vendor's service failed (HTTP {status}): {message}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The vendor's words.
        message: String,
    },
    /// The connection failed or stalled.
    #[error("the connection to the vendor failed")]
    Connection(#[source] reqwest::Error),
    /// An answer that the protocol does not allow.
    #[error("the vendor's answer can't be read: {0}")]
    Unreadable(String),
}

fn case_suffix(case: Option<&str>) -> String {
    case.map(|case| format!(", {case}")).unwrap_or_default()
}

/// The shapes of an error's body; whatever is none of them is taken as text.
#[derive(Deserialize)]
struct Body {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Detail {
    Text(String),
    Case {
        case: Option<String>,
        message: Option<String>,
        payload: Option<serde_json::Value>,
    },
    Fields(Vec<FieldError>),
}

#[derive(Deserialize)]
struct FieldError {
    #[serde(default)]
    loc: Vec<serde_json::Value>,
    #[serde(default)]
    msg: String,
}

impl VendorError {
    /// The meaning of an HTTP answer that is not a success.
    #[must_use]
    pub fn from_answer(status: u16, retry_after: Option<Duration>, body: &str) -> Self {
        let (case, message, payload) = match serde_json::from_str::<Body>(body) {
            Ok(Body {
                detail: Detail::Text(message),
            }) => (None, message, None),
            Ok(Body {
                detail:
                    Detail::Case {
                        case,
                        message,
                        payload,
                    },
            }) => (case, message.unwrap_or_default(), payload),
            Ok(Body {
                detail: Detail::Fields(fields),
            }) => (None, describe_fields(&fields), None),
            Err(_) => (None, body.to_owned(), None),
        };
        let told = |field: &str| instant(payload.as_ref()?.get(field)?);
        Self::from_parts(status, case, &message, &told, retry_after)
    }

    fn from_parts(
        status: u16,
        case: Option<String>,
        message: &str,
        told: &dyn Fn(&str) -> Option<Nanos>,
        retry_after: Option<Duration>,
    ) -> Self {
        let available_end = || told(END).or_else(|| instant_in(message));
        let text = shorten(message);
        match (status, case.as_deref()) {
            (401, _) => Self::Unauthorized { message: text },
            (402, _) | (403, Some("auth_account_locked")) => Self::AccountHeld { message: text },
            (403, Some("license_not_found_unauthorized"))
            | (422, Some("data_end_after_available_end" | "dataset_unavailable_range")) => {
                Self::NotYet {
                    available_end: available_end(),
                    message: text,
                }
            }
            (422, Some("data_start_after_available_end")) => Self::NotYet {
                available_end: available_end(),
                message: text,
            },
            (422, Some("data_start_before_available_start")) => Self::BeforeStart {
                available_start: told(START).or_else(|| instant_in(message)),
                message: text,
            },
            (422, Some("data_schema_not_fully_available")) => {
                let is_early =
                    |start: &Nanos| told(ASKED_START).is_some_and(|asked| asked < *start);
                let early = told(START).filter(is_early);
                let is_late = |end: &Nanos| told(ASKED_END).is_some_and(|asked| asked > *end);
                let late = told(END).filter(is_late);
                match early {
                    Some(_) => Self::BeforeStart {
                        available_start: early,
                        message: text,
                    },
                    None => Self::NotYet {
                        available_end: late,
                        message: text,
                    },
                }
            }
            (422, Some("symbology_invalid_request")) => Self::NoSession { message: text },
            (429, _) => Self::RateLimited { retry_after },
            (408 | 500..=599, _) => Self::Unavailable {
                status,
                message: text,
            },
            _ => Self::Refused {
                status,
                case: case.as_deref().map(shorten),
                message: text,
            },
        }
    }
}

impl VendorError {
    /// The same error without a secret that the other side may have repeated.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        match &mut self {
            Self::Unauthorized { message }
            | Self::AccountHeld { message }
            | Self::NotYet { message, .. }
            | Self::BeforeStart { message, .. }
            | Self::NoSession { message }
            | Self::Unavailable { message, .. }
            | Self::Unreadable(message) => *message = message.replace(secret, "…"),
            Self::Refused { case, message, .. } => {
                *message = message.replace(secret, "…");
                *case = case.take().map(|case| case.replace(secret, "…"));
            }
            Self::RateLimited { .. } | Self::Connection(_) => {}
        }
        self
    }
}

impl From<databento::Error> for VendorError {
    fn from(error: databento::Error) -> Self {
        match error {
            databento::Error::Api(api) => Self::from_parts(
                api.status_code.as_u16(),
                api.case.clone(),
                &api.message,
                &|field| instant(api.payload.as_deref()?.get(field)?),
                None,
            )
            .reread(&api.message, api.case.is_none()),
            databento::Error::Http(source) => Self::Connection(source.without_url()),
            other => Self::Unreadable(shorten(&other.to_string())),
        }
    }
}

impl VendorError {
    /// The client hands bodies that it can't read on as they are; ours reads more shapes.
    fn reread(self, body: &str, unread: bool) -> Self {
        match self {
            Self::Refused { status, .. } if unread && body.trim_start().starts_with('{') => {
                Self::from_answer(status, None, body)
            }
            other => other,
        }
    }
}

fn describe_fields(fields: &[FieldError]) -> String {
    let describe = |field: &FieldError| match field.loc.last() {
        Some(serde_json::Value::String(name)) => format!("{name}: {}", field.msg),
        _ => field.msg.clone(),
    };
    fields.iter().map(describe).collect::<Vec<_>>().join("; ")
}

/// One line of at most 500 characters, without the tags of an HTML page and without control
/// characters: PostgreSQL takes no NUL, and a terminal obeys some.
fn shorten(message: &str) -> String {
    let page = message.trim_start().starts_with('<');
    let mut text = String::new();
    let mut tag = false;
    for c in message.chars() {
        match c {
            '<' if page => tag = true,
            '>' if page => {
                tag = false;
                text.push(' ');
            }
            _ if tag => {}
            _ if c.is_control() => text.push(' '),
            _ => text.push(c),
        }
    }
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(MESSAGE_CHARS_MAX).collect()
}

/// The instant that a payload's field holds.
fn instant(value: &serde_json::Value) -> Option<Nanos> {
    value.as_str()?.parse().ok()
}

/// The first instant in a sentence of the vendor's: `… before 2024-01-05T10:00:00Z.`
fn instant_in(message: &str) -> Option<Nanos> {
    message
        .split(['\'', '"'])
        .chain(message.split_whitespace())
        .map(|word| word.trim_end_matches(['.', ',', ')']))
        .find_map(|word| word.parse().ok())
}
