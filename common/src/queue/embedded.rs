//! The queue in memory: for a process that admits chunks and works them off itself.

use std::convert::Infallible;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::stream::BoxStream;
use serde_json::Value;

use super::Hint;

/// What a worker takes hints from. Values, not [`Hint`]s: a message that can't be read must not
/// stop a worker.
pub type Hints = BoxStream<'static, Result<Value, Infallible>>;

/// The sending end of a queue in memory.
#[derive(Clone, Debug)]
pub struct EmbeddedQueue {
    sender: mpsc::Sender<Value>,
}

impl EmbeddedQueue {
    /// A queue that holds at most `capacity` hints, and its receiving end.
    #[must_use]
    pub fn new(capacity: usize) -> (Self, Hints) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender }, receiver.map(Ok).boxed())
    }

    /// Puts a hint in; `false` when the queue is full or its worker is gone.
    pub fn push(&mut self, hint: Hint) -> bool {
        let message = serde_json::to_value(hint).unwrap_or_default();
        self.sender.try_send(message).is_ok()
    }
}
