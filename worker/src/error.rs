//! What can go wrong with a chunk.

use common::archive::JoinError;
use common::files::FilesError;
use common::quality::QuarantineLimit;
use common::source::SourceError;
pub use common::source::chain;
use common::store::StoreError;
use common::time::{Day, Nanos};
use common::vendor::{Condition, VendorError};

use crate::validate::Tally;
use common::dbn_stream::StreamError;

/// Why an attempt at a chunk failed.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// The vendor did not do what was asked.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// The folder of files did not do what was asked.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The stream is not whole.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The stream was cut, and its whole records are kept: the next attempt goes on from there.
    #[error("the stream was cut, and {records} records of it are kept")]
    Cut {
        /// Records that are kept.
        records: u64,
        /// Where, or by what.
        #[source]
        source: Box<ChunkError>,
    },
    /// The source sends other records than those that were kept before the stream was cut.
    #[error("the records of {time} are other ones than when the stream was cut; it is begun anew")]
    Differs {
        /// The last index time of those that were kept.
        time: Nanos,
    },
    /// Another chunk's worker is fetching the same stream.
    #[error("another chunk needs the same stream, and it is being fetched")]
    NotOurTurn,
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
    /// More records fail rules of severity `error` than the job allows.
    #[error(transparent)]
    Quarantine(#[from] Box<OverQuarantined>),
    /// No mapping for the schema was loaded.
    #[error("no mapping is loaded for the schema {0}")]
    NoMapping(dbn::Schema),
    /// The source has no data of a day: not yet, or a known gap.
    #[error("{day} is {} at the vendor", condition.name())]
    Absent {
        /// The day.
        day: Day,
        /// Pending or missing.
        condition: Condition,
    },
    /// The archive has no stream of the chunk, so that it can't be gone through again.
    #[error("the archive has no stream of this chunk")]
    NotArchived,
    /// Nothing here says what the chunk's symbols mean, so that it can't be gone through again.
    #[error("nothing here says what its symbols mean")]
    Unresolved,
    /// A replay that would load other records than the chunk holds.
    #[error("its archived stream has {now} records of its own, and its ledger counts {before}")]
    OtherRecords {
        /// Records of its own by the archived stream.
        now: u64,
        /// Records of its own by the ledger.
        before: u64,
    },
    /// The archive failed.
    #[error("the archive failed")]
    Archive(#[source] std::io::Error),
    /// The archived object is damaged; a load drops it from the archive, so that it is fetched again.
    #[error("the archived stream is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// As many failures as a chunk may have, the last of them a worker that was lost with it.
    #[error(
        "{0} attempts failed, and the last worker was lost without a word: it may have run out of memory"
    )]
    WorkersLost(u32),
    /// The work was ended from outside.
    #[error("the work was stopped")]
    Stopped,
    /// A defect of this program.
    #[error("the program failed unexpectedly: {0}")]
    Panic(String),
}

/// A chunk of which the rules would quarantine more than its job allows.
#[derive(Debug, thiserror::Error)]
#[error(
    "{quarantined} of {records} records fail a rule of severity error, and at most {limit} may; the \
     worst is {rule}, which {failing} fail: {}",
    examples.join("; ")
)]
pub struct OverQuarantined {
    /// Records that fail a rule of severity `error`.
    pub quarantined: u64,
    /// The chunk's own records.
    pub records: u64,
    /// The limit.
    pub limit: QuarantineLimit,
    /// The rule that failed most often.
    pub rule: String,
    /// Records that fail it.
    pub failing: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

impl OverQuarantined {
    /// By what the rules say of a chunk.
    pub(crate) fn new(tally: &Tally, limit: QuarantineLimit) -> Self {
        let worst = tally.worst();
        Self {
            quarantined: tally.quarantined,
            records: tally.records,
            limit,
            rule: worst.map(|rule| rule.rule.to_string()).unwrap_or_default(),
            failing: worst.map_or(0, |rule| rule.records),
            examples: worst.map(|rule| rule.examples.clone()).unwrap_or_default(),
        }
    }
}

impl From<SourceError> for ChunkError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Vendor(error) => Self::Vendor(error),
            SourceError::Files(error) => Self::Files(error),
        }
    }
}

impl From<JoinError> for ChunkError {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Archive(error) => Self::Archive(error),
            JoinError::Damaged(what) => Self::Damaged(what),
            JoinError::Stream(error) => Self::Stream(error),
            JoinError::Stopped => Self::Stopped,
        }
    }
}
