//! Why a query was not answered.

use crate::store::StoreError;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The database can't be asked: nobody answers at its address, or it is not one of ours.
    #[error("failed to reach the database")]
    Connection(#[source] StoreError),
    /// The database holds none of the symbols that were asked for.
    #[error("{}", unknown_symbols(.unknown, .sample))]
    UnknownSymbols {
        /// The symbols, each with those that are nearest to it.
        unknown: Vec<UnknownSymbol>,
        /// Some of the symbols that there are.
        sample: Vec<String>,
    },
    /// Nothing of this schema is in the database.
    #[error("{}", nothing_held(.wanted, .held))]
    NothingHeld {
        /// The schema, and the dataset where one was asked for.
        wanted: String,
        /// The schemas of which there are records.
        held: Vec<String>,
    },
    /// A part of the query makes no sense.
    #[error("{message}; {help}")]
    BadParameter {
        /// Which part, as a flag or a method of the builder names it.
        parameter: &'static str,
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// The database failed while it answered.
    #[error("failed to read from the database")]
    Execution(#[source] StoreError),
}

/// A symbol that the database doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSymbol {
    /// The symbol, as asked for.
    pub symbol: String,
    /// Known symbols that are written alike, the nearest first.
    pub near: Vec<String>,
}

impl QueryError {
    pub(crate) fn bad(
        parameter: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::BadParameter {
            parameter,
            message: message.into(),
            help: help.into(),
        }
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Address(_)
            | StoreError::Unreachable(_)
            | StoreError::InUse(_)
            | StoreError::Version(_)
            | StoreError::Away(_) => Self::Connection(error),
            StoreError::Fenced(_)
            | StoreError::Contended
            | StoreError::OverBudget { .. }
            | StoreError::Origin(_)
            | StoreError::DiskFull
            | StoreError::IllegalTransition(_)
            | StoreError::Accounts(_)
            | StoreError::Unreadable(_)
            | StoreError::Migration(_)
            | StoreError::Database(_) => Self::Execution(error),
        }
    }
}

impl std::fmt::Display for UnknownSymbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.symbol)?;
        match self.near.is_empty() {
            true => Ok(()),
            false => write!(f, " (near it: {})", self.near.join(", ")),
        }
    }
}

fn unknown_symbols(unknown: &[UnknownSymbol], sample: &[String]) -> String {
    let unknown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    let there = match sample.is_empty() {
        true => "the database knows no symbols yet".to_owned(),
        false => format!("there are for example {}", sample.join(", ")),
    };
    format!("no such symbol is held: {}; {there}", unknown.join(", "))
}

fn nothing_held(wanted: &str, held: &[String]) -> String {
    match held.is_empty() {
        true => format!("nothing of {wanted} is held, nor of anything else yet"),
        false => format!("nothing of {wanted} is held; there is {}", held.join(", ")),
    }
}
