//! A chunk: the unit of work, its states and the one function of legal transitions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A chunk's number, given by the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChunkId(pub i64);

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A job's number, given by the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkState {
    /// Waits to be claimed, from its due time on.
    Pending,
    /// Claimed under a lease.
    Running,
    /// Proven complete: the tables hold it.
    Done,
    /// Proven to hold no records: no session, or nothing traded.
    Empty,
    /// Given up: attempts spent, or an error that no retry mends.
    Dead,
    /// Called off: by the operator, or as days that the source doesn't have.
    Cancelled,
}

impl ChunkState {
    /// All states, in the order of a chunk's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Empty,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The name that the database and the commands use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Empty => "empty",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the event can't happen to a chunk in this state.
    pub fn after(self, event: ChunkEvent) -> Result<Self, IllegalTransition> {
        use ChunkEvent as E;
        use ChunkState as S;
        match (self, event) {
            // A running chunk is claimed anew when its lease ran out.
            (S::Pending | S::Running, E::Claim) => Ok(S::Running),
            (S::Running, E::Load) => Ok(S::Done),
            // In one transaction: nobody sees the chunk in between.
            (S::Done | S::Dead, E::Replay) => Ok(S::Done),
            (S::Done | S::Empty, E::Refresh) => Ok(S::Done),
            (S::Done | S::Empty, E::Vanish) => Ok(S::Empty),
            (S::Running, E::FindEmpty) => Ok(S::Empty),
            (S::Running, E::PutOff) => Ok(S::Pending),
            (S::Running, E::GiveUp) => Ok(S::Dead),
            (S::Dead, E::Revive) => Ok(S::Pending),
            (S::Pending | S::Running | S::Dead, E::Cancel) => Ok(S::Cancelled),
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }
}

impl fmt::Display for ChunkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ChunkState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| UnknownState(name.to_owned()))
    }
}

/// What can happen to a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEvent {
    /// A worker takes it under a lease, with a new epoch.
    Claim,
    /// Its records were committed to the tables.
    Load,
    /// Today's mapping and rules were applied to its archived stream, and the rows swapped.
    Replay,
    /// A later answer of the vendor's was fetched, and the rows swapped for it.
    Refresh,
    /// The vendor has no records there any more, or still none.
    Vanish,
    /// The vendor has no records there.
    FindEmpty,
    /// Back to the queue: a retry, a hand-back, or not yet at the vendor.
    PutOff,
    /// Attempts spent, or fatal.
    GiveUp,
    /// The operator wants a dead chunk tried again.
    Revive,
    /// Called off: by the operator, or because the source has nothing of its days.
    Cancel,
}

/// A transition that the state machine does not know.
#[derive(Debug, thiserror::Error)]
#[error("a chunk that is {from} can't {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: ChunkState,
    /// What was to happen.
    pub event: ChunkEvent,
}

/// A state's name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown chunk state {0:?}")]
pub struct UnknownState(String);
