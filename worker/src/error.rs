//! What can go wrong with a chunk.

use common::store::StoreError;
use common::time::Nanos;
use common::vendor::VendorError;

use crate::dbn_stream::StreamError;

/// Why an attempt at a chunk failed.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// The vendor did not do what was asked.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// The stream is not whole.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The stream ended well, and holds another number of records than the vendor counts.
    #[error("received {received} records where the vendor counts {counted}")]
    Count {
        /// Records received.
        received: u64,
        /// Records by the vendor's count.
        counted: u64,
    },
    /// A record of an instrument that the symbols do not mean on its day.
    #[error("a record of instrument {instrument_id} at {time} belongs to none of the symbols")]
    Unmapped {
        /// The instrument.
        instrument_id: u32,
        /// The record's index time.
        time: Nanos,
    },
    /// Records of other days than those that were asked for.
    #[error("the records lie between {first} and {last}, outside of the days asked for")]
    OutsideRange {
        /// Index time of the first record.
        first: Nanos,
        /// Index time of the last record.
        last: Nanos,
    },
    /// A value that the table can't hold exactly.
    #[error("the value {value} of {field} is too large for its column")]
    Value {
        /// The record's field.
        field: String,
        /// The value.
        value: u64,
    },
    /// No mapping for the schema was loaded.
    #[error("no mapping is loaded for the schema {0}")]
    NoMapping(dbn::Schema),
    /// The archive failed.
    #[error("the archive failed")]
    Archive(#[source] std::io::Error),
    /// The archived object is damaged; it was dropped from the archive.
    #[error("the archived stream is damaged and will be fetched again: {0}")]
    Damaged(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was ended from outside.
    #[error("the work was stopped")]
    Stopped,
    /// A defect of this program.
    #[error("the program failed unexpectedly: {0}")]
    Panic(String),
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries repeat their cause in their own words.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
