//! The table of the service's refusals: what it answers, and what a chunk becomes of it.

use simulator::Shape;

use super::After;

/// One row of the table.
pub struct Row {
    /// Its name there.
    pub name: &'static str,
    pub status: u16,
    pub case: Option<&'static str>,
    pub message: &'static str,
    pub payload: Option<&'static str>,
    pub retry_after: Option<f64>,
    /// In which shapes it means this.
    pub shapes: &'static [Shape],
    pub becomes: Becomes,
    /// What the chunk's error or the job's reason says.
    pub said: &'static str,
}

/// What a chunk and its job become.
#[derive(Clone, Copy, Debug)]
pub enum Becomes {
    /// Pending as if nothing had happened; all jobs are paused.
    Stopped,
    /// Pending, and due once the vendor may have the rest: hours from now.
    NotYet { hours: f64 },
    /// Given up: it would fail again.
    Dead,
    /// Pending, one failure more, and due soon.
    Again,
    /// Called off: the vendor will never have it.
    CalledOff,
}

impl Becomes {
    pub fn check(self, after: &After, retry_after: Option<f64>, what: &str) {
        let (state, failures, job) = match self {
            Self::Stopped => ("pending", 0, "paused"),
            Self::NotYet { .. } => ("pending", 0, "active"),
            Self::Dead => ("dead", 1, "active"),
            Self::Again => ("pending", 1, "active"),
            Self::CalledOff => ("cancelled", 0, "active"),
        };
        let found = (after.state.as_str(), after.failures, after.job.as_str());
        assert_eq!(found, (state, failures, job), "{what}: {after:?}");
        let (least, most) = match self {
            Self::Stopped | Self::Dead | Self::CalledOff => return,
            Self::NotYet { hours } => (hours * 3_600.0, hours * 3_600.0),
            // Its own delays are below a fifth of a second.
            Self::Again => match retry_after {
                Some(seconds) => (seconds, seconds),
                None => (0.0, 0.2),
            },
        };
        let within = after.waits >= least && after.waits <= most + after.took;
        assert!(within, "{what}: {least} to {most} seconds, {after:?}");
    }
}

impl Row {
    /// Whether it is about a range of time, which a resolution is not refused for.
    pub fn is_of_range(&self) -> bool {
        let case = self.case.unwrap_or_default();
        case.starts_with("data") || case.starts_with("license")
    }
}

const ANY: &[Shape] = &[
    Shape::Case,
    Shape::CaseWithoutDocs,
    Shape::Detail,
    Shape::Fields,
    Shape::Text,
    Shape::Html,
];
/// Only these carry a case, which the meaning hangs on.
const OF_CASE: &[Shape] = &[Shape::Case, Shape::CaseWithoutDocs];
const OF_PROXY: &[Shape] = &[Shape::Text, Shape::Html];
/// The end of what there is lies within the chunk's day, 14 hours before its end.
const PAYLOAD: Option<&str> = Some(
    r#"{"dataset": "GLBX.MDP3", "start": "2024-01-04T00:00:00.000000000Z",
        "end": "2024-01-05T00:00:00.000000000Z", "available_start": "2010-06-06T00:00:00.000000000Z",
        "available_end": "2024-01-04T10:00:00.000000000Z"}"#,
);
/// The start lies within the day.
const LATE_START: Option<&str> = Some(
    r#"{"dataset": "GLBX.MDP3", "start": "2024-01-04T00:00:00.000000000Z",
        "end": "2024-01-05T00:00:00.000000000Z", "available_start": "2024-01-04T10:00:00.000000000Z",
        "available_end": "2024-02-01T00:00:00.000000000Z"}"#,
);
const FOURTEEN_HOURS: Becomes = Becomes::NotYet { hours: 14.0 };

const fn row(
    name: &'static str,
    status: u16,
    message: &'static str,
    shapes: &'static [Shape],
    becomes: Becomes,
) -> Row {
    Row {
        name,
        status,
        case: None,
        message,
        payload: None,
        retry_after: None,
        shapes,
        becomes,
        said: message,
    }
}

const fn case(
    status: u16,
    case: &'static str,
    message: &'static str,
    shapes: &'static [Shape],
    becomes: Becomes,
) -> Row {
    Row {
        case: Some(case),
        ..row(case, status, message, shapes, becomes)
    }
}

/// The rows, in the table's order. 422 `symbology_invalid_request` and 206 are stories of their own.
pub const ROWS: [Row; 24] = [
    case(
        401,
        "auth_authentication_failed",
        "Authentication failed.",
        ANY,
        Becomes::Stopped,
    ),
    row("401", 401, "Not authenticated", ANY, Becomes::Stopped),
    case(
        402,
        "account_insufficient_funds",
        "The account has insufficient funds.",
        ANY,
        Becomes::Stopped,
    ),
    case(
        403,
        "auth_account_locked",
        "The account is locked.",
        OF_CASE,
        Becomes::Stopped,
    ),
    case(
        403,
        "license_not_found_unauthorized",
        "A live data license is required to access GLBX.MDP3 data after 2024-01-04T10:00:00.000000000Z.",
        OF_CASE,
        FOURTEEN_HOURS,
    ),
    row("404 no data", 404, "No data found", ANY, Becomes::Dead),
    case(
        404,
        "dataset_not_found",
        "The dataset `GLBX.MDP3` was not found.",
        ANY,
        Becomes::Dead,
    ),
    Row {
        payload: PAYLOAD,
        ..case(
            422,
            "data_end_after_available_end",
            "The dataset GLBX.MDP3 has data available up to '2024-01-04 10:00:00+00:00'.",
            OF_CASE,
            FOURTEEN_HOURS,
        )
    },
    case(
        422,
        "dataset_unavailable_range",
        "Part or all of your request requires a subscription and/or license to access. Try again with an end time before 2024-01-04T10:00:00.000000000Z.",
        OF_CASE,
        FOURTEEN_HOURS,
    ),
    Row {
        payload: LATE_START,
        ..case(
            422,
            "data_start_before_available_start",
            "`start` is before the available start of dataset GLBX.MDP3.",
            OF_CASE,
            Becomes::CalledOff,
        )
    },
    Row {
        payload: PAYLOAD,
        ..case(
            422,
            "data_start_after_available_end",
            "`start` is after the available end of dataset GLBX.MDP3.",
            OF_CASE,
            FOURTEEN_HOURS,
        )
    },
    case(
        422,
        "data_time_range_start_on_or_after_end",
        "`start` is on or after `end`.",
        OF_CASE,
        Becomes::Dead,
    ),
    Row {
        payload: PAYLOAD,
        ..case(
            422,
            "data_schema_not_fully_available",
            "The schema `trades` is not fully available over the range.",
            OF_CASE,
            FOURTEEN_HOURS,
        )
    },
    Row {
        payload: LATE_START,
        ..case(
            422,
            "data_schema_not_fully_available",
            "The schema `trades` is not fully available over the range.",
            OF_CASE,
            Becomes::CalledOff,
        )
    },
    Row {
        payload: None,
        ..case(
            422,
            "data_schema_not_fully_available",
            "The schema `trades` is not fully available over the range.",
            OF_CASE,
            Becomes::NotYet { hours: 1.0 },
        )
    },
    case(
        422,
        "symbology_invalid_symbol",
        "Invalid symbol: ES.c.0",
        OF_CASE,
        Becomes::Dead,
    ),
    Row {
        retry_after: Some(2.0),
        said: "the vendor asks for fewer requests",
        ..row(
            "429 with Retry-After",
            429,
            "Rate limit exceeded.",
            &[Shape::Detail, Shape::Text],
            Becomes::Again,
        )
    },
    Row {
        said: "the vendor asks for fewer requests",
        ..row(
            "429 without Retry-After",
            429,
            "Rate limit exceeded.",
            ANY,
            Becomes::Again,
        )
    },
    row("408", 408, "Request Timeout", OF_PROXY, Becomes::Again),
    row("500", 500, "Internal Server Error", ANY, Becomes::Again),
    row("502", 502, "Bad Gateway", OF_PROXY, Becomes::Again),
    row(
        "503",
        503,
        "upstream connect error",
        OF_PROXY,
        Becomes::Again,
    ),
    row("504", 504, "Gateway Timeout", OF_PROXY, Becomes::Again),
    row("404 in a page", 404, "Not Found", OF_PROXY, Becomes::Dead),
];
