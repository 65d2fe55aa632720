//! The database: control tables, market tables, and the few verbs that change them.
//!
//! The contract, which every engine keeps:
//!
//! - [`Store::claim`] gives a chunk to one worker under a lease, with an epoch one higher than before.
//! - Whatever a worker does with its claim is fenced: when the chunk's epoch is no longer the claim's,
//!   or the chunk no longer runs, the verb answers [`StoreError::Fenced`] and nothing has changed.
//! - [`Load::commit`] writes rows, quarantine, coverage, symbology and the chunk's settlement in one
//!   transaction. After an error, or when a [`Load`] is dropped, nothing of it is in the tables.
//! - [`Store::begin_replay`] begins such a load for a chunk that was settled before: its commit swaps
//!   what the chunk had for what it has now. [`Store::begin_rehearsal`] changes nothing.
//! - Money is reserved before a paid request and settled after it, whatever became of it. What is
//!   reserved and settled never passes a job's limit, nor the installation's budget for a month.

mod engine;
mod statement;
pub mod clock;
pub mod connection;
pub mod submit;
pub mod claim;
pub mod spend;
pub mod table;
pub mod rows;
pub mod copy;
pub mod coverage;
pub mod recorded_days;
mod symbology;
pub mod conditions;
pub mod load;
pub mod quarantine;
pub mod settle;
pub mod cut;
mod control;
mod turns;
mod attend;
pub mod replay;
pub mod refresh;
pub mod status;
pub mod figures;
pub mod trace;
pub mod watched;
pub mod proof;
pub mod check;
pub mod stability;
pub mod holdings;
pub mod asked;
mod sample;
mod query;

pub use asked::{AskedChunk, AskedChunks, JobsMark, Requested};
pub use attend::{Alone, DueChunk, RunningChunk};
pub use check::{Checked, Checks, FoundRow};
pub use claim::{Chunk, Claim};
pub use clock::{Due, Moment};
pub use connection::{Access, Store};
pub use figures::{Figures, MonthsSpend};
pub use holdings::Holding;
pub use load::{EncodedRows, Load, Loaded, RowEncoder};
pub use proof::{Archived, ChunkAccount, Gap, Proof, Strays};
pub use quarantine::{QuarantineFilter, Quarantined, QuarantinedRecord};
pub(crate) use query::MergedRows;
pub use recorded_days::{RecordedDays, Slice};
pub use refresh::{LedgerStream, Refreshable};
pub use replay::{Difference, Rehearsal, Replayable};
pub use sample::Sample;
pub use spend::{Budget, Reservation, Spending};
pub use stability::{JobSpending, Reason, Workings};
pub use status::{ChunkCounts, JobStatus, RecordCounts, SchemaStatus};
pub use submit::{Held, PlannedChunk, Submission};
pub use trace::Traced;
pub use watched::{Failure, Part, Question, SettledMinute, ToldChunk, Working};

use crate::money::Usd;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one that this version can use.
    #[error("{0}")]
    Address(String),
    /// Nobody answers at the address, or lets us in.
    #[error(
        "the database that DATABASE_URL names can't be reached; see that it runs and that the \
         address is right"
    )]
    Unreachable(#[source] sqlx::Error),
    /// Another process works on the database.
    #[error("another process is working on {0}; wait until it ends, or stop it")]
    InUse(String),
    /// The tables are of another version than the program.
    #[error("{0}")]
    Version(String),
    /// The claim was lost: another worker has the chunk, or it was settled or cancelled.
    #[error("the claim of chunk {0} was lost")]
    Fenced(crate::chunk::ChunkId),
    /// Another chunk came to hold a slice of this one's meanwhile: loaded again, it leaves that out.
    #[error("another chunk settled what this one was about to hold")]
    Contended,
    /// The job's limit or the month's budget would be passed.
    #[error("{needed} more dollars would pass {budget} of {limit}: {spent} are spent or reserved")]
    OverBudget {
        /// Which it is.
        budget: Budget,
        /// What the request may cost.
        needed: Usd,
        /// How much it is.
        limit: Usd,
        /// What is spent or reserved already.
        spent: Usd,
    },
    /// The database holds records of another origin.
    #[error("{0}")]
    Origin(String),
    /// There is no room left.
    #[error("the disk is full: the database can't grow")]
    DiskFull,
    /// A chunk's state does not allow this.
    #[error(transparent)]
    IllegalTransition(#[from] crate::chunk::IllegalTransition),
    /// What a load brings, or a table holds, is not what the ledger counts.
    #[error("the counts don't agree: {0}")]
    Accounts(String),
    /// What the database holds can't be understood.
    #[error("the database holds {0}, which this version can't read")]
    Unreadable(String),
    /// The migrations can't be applied.
    #[error("the tables can't be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database is away, or the connection to it was lost; whether the last statement was carried
    /// out is not known.
    #[error("the database is away")]
    Away(#[source] sqlx::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        const SQLITE_FULL: &str = "13";
        const SQLITE_NOT_A_DATABASE: &str = "26";
        // By the names of the SQL standard: an exclusion constraint, a deadlock, a serialization.
        const CONTENDED: [&str; 3] = ["23P01", "40P01", "40001"];
        match error
            .as_database_error()
            .and_then(|database| database.code())
        {
            Some(code) if code == SQLITE_FULL => Self::DiskFull,
            Some(code) if code == SQLITE_NOT_A_DATABASE => Self::Address(
                "DATABASE_URL names a file that is no SQLite database; name another".into(),
            ),
            Some(code) if CONTENDED.contains(&code.as_ref()) => Self::Contended,
            _ if is_outage(&error) => Self::Away(error),
            _ => Self::Database(error),
        }
    }
}

/// Whether the database did not refuse a statement, but could not be asked, or was shut down.
fn is_outage(error: &sqlx::Error) -> bool {
    // Connection exceptions, resources that ran out, and what an operator does to a server.
    const CLASSES: [&str; 3] = ["08", "53", "57"];
    const TOO_LONG: &str = "57014";
    // A transaction that stood still was ended: its process was frozen.
    const IDLE: &str = "25P03";
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let class = code.get(..2).filter(|_| code.len() == TOO_LONG.len());
            let outage = class.is_some_and(|class| CLASSES.contains(&class));
            code == IDLE || (outage && code != TOO_LONG)
        }),
        _ => false,
    }
}
