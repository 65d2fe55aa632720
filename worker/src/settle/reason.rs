//! Why an attempt failed, in a word: the few values of a metric's label.

use common::files::FilesError;
use common::store::StoreError;
use common::vendor::VendorError;

use crate::error::ChunkError;

/// All reasons.
pub const REASONS: [&str; 13] = [
    "rate_limited",
    "vendor_unavailable",
    "vendor_connection",
    "vendor_answer",
    "stream_cut",
    "stream_damaged",
    "count_differs",
    "symbols",
    "files",
    "archive",
    "database",
    "stopped",
    "program",
];

/// Why an attempt failed, as one of [`REASONS`]. No arm catches the rest, so that a new error forces a
/// decision.
#[must_use]
pub fn reason(error: &ChunkError) -> &'static str {
    match error {
        ChunkError::Vendor(error) => match error {
            VendorError::RateLimited { .. } => "rate_limited",
            VendorError::Unavailable { .. } => "vendor_unavailable",
            VendorError::Connection(_) => "vendor_connection",
            VendorError::NoSession { .. } => "symbols",
            VendorError::Unauthorized { .. }
            | VendorError::AccountHeld { .. }
            | VendorError::NotYet { .. }
            | VendorError::BeforeStart { .. }
            | VendorError::Refused { .. }
            | VendorError::Unreadable(_) => "vendor_answer",
        },
        ChunkError::Files(error) => match error {
            FilesError::Stopped => "stopped",
            FilesError::NotCovered(_)
            | FilesError::Refused(_)
            | FilesError::Changing { .. }
            | FilesError::Unreadable { .. }
            | FilesError::Encoding(_)
            | FilesError::Panic(_) => "files",
        },
        ChunkError::Store(error) => match error {
            StoreError::Address(_)
            | StoreError::Unreachable(_)
            | StoreError::InUse(_)
            | StoreError::Version(_)
            | StoreError::Fenced(_)
            | StoreError::Contended
            | StoreError::OverBudget { .. }
            | StoreError::Origin(_)
            | StoreError::DiskFull
            | StoreError::IllegalTransition(_)
            | StoreError::Accounts(_)
            | StoreError::Unreadable(_)
            | StoreError::Migration(_)
            | StoreError::Away(_)
            | StoreError::Database(_) => "database",
        },
        ChunkError::Archive(_) | ChunkError::NotArchived => "archive",
        ChunkError::Cut { .. } => "stream_cut",
        ChunkError::Stream(_) | ChunkError::Differs { .. } | ChunkError::Damaged(_) => {
            "stream_damaged"
        }
        ChunkError::Count { .. }
        | ChunkError::OutsideRange { .. }
        | ChunkError::Absent { .. }
        | ChunkError::OtherRecords { .. } => "count_differs",
        ChunkError::Unmapped { .. } | ChunkError::Unresolved => "symbols",
        ChunkError::NotOurTurn | ChunkError::Stopped => "stopped",
        ChunkError::Quarantine(_)
        | ChunkError::NoMapping(_)
        | ChunkError::WorkersLost(_)
        | ChunkError::Panic(_) => "program",
    }
}
