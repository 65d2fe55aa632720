//! How a stream ends.

use crate::{fault::FaultKind, faults::Struck, random::Random};

/// A stall without a length outlasts any test.
const STALL_SECONDS: f64 = 3_600.0;

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ending {
    /// With its last record.
    Whole,
    /// Otherwise, after `after` of its records.
    Cut { cut: Cut, after: u64 },
    /// After the header.
    MetadataOnly,
    /// Before the header.
    EmptyBody,
}

/// What happens where a stream is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// A clean end within a zstd frame.
    InFrame,
    /// An early end of what `Content-Length` promises.
    Short,
    /// A clean end at the end of a zstd frame.
    AtFrame,
    /// A clean end of frame within a record.
    InRecord,
    /// The connection is reset.
    Reset,
    /// A pause.
    Stall { seconds: f64 },
    /// Flipped bytes, and everything after them as it should be.
    Corrupt,
}

impl Ending {
    /// The ending that a fault asks for; `total` is the number of records that the stream would
    /// have.
    pub(crate) fn of(fault: Option<&Struck>, total: u64) -> Self {
        let Some(fault) = fault else {
            return Self::Whole;
        };
        let cut = match fault.kind {
            FaultKind::EmptyBody => return Self::EmptyBody,
            FaultKind::MetadataOnly => return Self::MetadataOnly,
            // A stream without records has none to lose.
            FaultKind::CutAtFrame | FaultKind::CutInRecord if total == 0 => return Self::EmptyBody,
            FaultKind::CutAtFrame => Cut::AtFrame,
            FaultKind::CutInRecord => Cut::InRecord,
            FaultKind::CutInFrame => Cut::InFrame,
            FaultKind::ShortLength => Cut::Short,
            FaultKind::Reset => Cut::Reset,
            FaultKind::Stall => Cut::Stall {
                seconds: fault.seconds.unwrap_or(STALL_SECONDS),
            },
            FaultKind::Corrupt => Cut::Corrupt,
            _ => return Self::Whole,
        };
        Self::Cut {
            cut,
            after: Random::new(fault.draw).below(total),
        }
    }

    /// Whether a fault's place in the stream depends on the number of its records.
    pub(crate) fn needs_total(fault: Option<&Struck>) -> bool {
        fault.is_some_and(|fault| fault.kind.is_of_stream())
    }
}
