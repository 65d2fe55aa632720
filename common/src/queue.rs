//! The queue: hints that a chunk may be due. The database decides; a hint that is lost, late or
//! doubled changes nothing.
//!
//! The contract of both queues:
//! - A hint may be lost. Whoever puts hints in asks again what is still there, and puts in anew what
//!   is missing.
//! - A hint may come twice. Whoever takes it claims the chunk in the database first, and drops the
//!   hint when there is nothing to claim.
//! - Order, delay, priority, pause and the number of attempts are decided before a hint is put in.

use serde::{Deserialize, Serialize};

use crate::chunk::ChunkId;

mod embedded;
mod redis;

pub use self::embedded::{EmbeddedQueue, Hints};
pub use self::redis::{Length, RedisQueue};

/// What the keys of a fleet's queue start with.
pub const NAMESPACE: &str = "backhaul:queue";

/// A message of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// The chunk that may be due.
    pub chunk: ChunkId,
    /// Tells this hint from earlier ones of the chunk: of two with the same number the second is
    /// dropped while the first is known.
    pub generation: i64,
}

impl Hint {
    /// Its name in a queue: `chunk:generation`.
    #[must_use]
    pub fn task_id(self) -> String {
        format!("{}:{}", self.chunk, self.generation)
    }
}
