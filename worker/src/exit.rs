//! How a program of ours ends: what is said on stderr, and the exit code.

use std::io::Write;
use std::process::ExitCode;

use common::configuration::document::{Refusal, Refusals};
use common::files::FilesError;
use common::source::SourceError;
use common::store::StoreError;
use common::vendor::VendorError;

use crate::error::chain;

/// Done.
const DONE: u8 = 0;
/// Something unexpected.
const UNEXPECTED: u8 = 1;
/// Bad input or configuration.
const BAD_INPUT: u8 = 2;
/// The job ended incomplete.
pub const INCOMPLETE: u8 = 3;
/// A target of the verification was missed, or could not be checked.
pub const NOT_VERIFIED: u8 = 4;
/// Refused by the budget.
const OVER_BUDGET: u8 = 5;

/// Ctrl-C: what a shell says of a program that it has ended.
pub const INTERRUPTED: u8 = 130;
/// A second SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

/// How `scheduler` ends: each exit code, and what it means.
pub const SCHEDULER_CODES: &[(u8, &str)] = &[
    (DONE, "done"),
    (UNEXPECTED, "something unexpected"),
    (
        BAD_INPUT,
        "bad input or configuration: the message says what to write instead",
    ),
    (
        INCOMPLETE,
        "the job ended incomplete or is not proven, is paused or cancelled, or is no longer waited for; \
         or chunks could not be replayed or refreshed, or archived streams are damaged: the report says \
         which, and why",
    ),
    (
        NOT_VERIFIED,
        "`scheduler verify`: a target is missed, or could not be checked; not with `--report-only`",
    ),
    (
        OVER_BUDGET,
        "refused by the job's limit or the month's budget, before anything is asked for",
    ),
    (
        INTERRUPTED,
        "`query` and `verify`: ended by Ctrl-C or SIGTERM; others: ended at once by a second Ctrl-C",
    ),
    (TERMINATED, "ended at once by a second SIGTERM"),
];

/// How `worker` ends.
pub const WORKER_CODES: &[(u8, &str)] = &[
    (DONE, "told to stop, and stopped"),
    (
        UNEXPECTED,
        "something unexpected: what was at hand is due again once its leases end",
    ),
    (
        BAD_INPUT,
        "bad input or configuration: the message says what to write instead",
    ),
    (INTERRUPTED, "ended at once by a second Ctrl-C"),
    (TERMINATED, "ended at once by a second SIGTERM"),
];

/// A job that would cost more than it may.
#[derive(Debug)]
pub struct OverBudget {
    /// What to tell the user.
    pub message: String,
}

impl std::fmt::Display for OverBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OverBudget {}

/// Says on stderr what went wrong, once, and returns the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let texts = match error.downcast_ref::<Refusals>() {
        Some(all) => all.0.iter().map(ToString::to_string).collect(),
        None => vec![chain(error.as_ref())],
    };
    let told: Vec<_> = texts
        .iter()
        .map(|text| format!("error: {text}\n"))
        .collect();
    // A closed stderr is no reason to fail differently.
    let _closed = write!(std::io::stderr(), "{}", told.join("\n"));
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<OverBudget>().is_some() {
        return OVER_BUDGET;
    }
    if error.is::<Refusal>() || error.is::<Refusals>() {
        return BAD_INPUT;
    }
    match error.downcast_ref::<StoreError>() {
        Some(
            StoreError::Address(_)
            | StoreError::InUse(_)
            | StoreError::Version(_)
            | StoreError::Origin(_),
        ) => return BAD_INPUT,
        Some(StoreError::OverBudget { .. }) => return OVER_BUDGET,
        _ => {}
    }
    let of_source = error.downcast_ref::<SourceError>();
    let of_vendor = match of_source {
        Some(SourceError::Vendor(error)) => Some(error),
        Some(SourceError::Files(
            FilesError::Refused(_) | FilesError::Changing { .. } | FilesError::Unreadable { .. },
        )) => return BAD_INPUT,
        Some(SourceError::Files(_)) | None => error.downcast_ref::<VendorError>(),
    };
    match of_vendor {
        Some(VendorError::Unauthorized { .. } | VendorError::Refused { .. }) => BAD_INPUT,
        _ => UNEXPECTED,
    }
}
