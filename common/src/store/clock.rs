//! When something happens: by the database's clock, for those of many workers differ, or at a given
//! time.

use std::time::Duration;

use super::engine::{Pools, Transaction};
use crate::time::Nanos;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Now, by the database's clock; a file's is that of its process.
    Now,
    /// At a given time.
    At(Nanos),
}

impl From<Nanos> for Moment {
    fn from(time: Nanos) -> Self {
        Self::At(time)
    }
}

/// When a chunk that is put off is due again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// So long after it is put off.
    After(Duration),
    /// At a given time.
    At(Nanos),
}

impl From<Nanos> for Due {
    fn from(time: Nanos) -> Self {
        Self::At(time)
    }
}

/// A duration in nanoseconds.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Pools {
    /// A bound [`Moment`] in SQL, in nanoseconds; `parameter` is its number.
    pub(super) fn moment(&self, parameter: u32) -> String {
        match self {
            Self::Sqlite { .. } => by_process(parameter),
            Self::Postgres(_) => by_server(parameter),
        }
    }
}

impl Transaction {
    /// The same within a transaction: the moment of the statement, not of the transaction's beginning.
    pub(super) fn moment(&self, parameter: u32) -> String {
        match self {
            Self::Sqlite(_) => by_process(parameter),
            Self::Postgres(_) => by_server(parameter),
        }
    }
}

fn by_process(parameter: u32) -> String {
    format!("${parameter}")
}

fn by_server(parameter: u32) -> String {
    format!("coalesce(${parameter}, backhaul_now())")
}
