//! The body of an answer from the pieces of a stream; the log grows as they go out.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use tokio::sync::mpsc::Receiver;

use super::Piece;
use crate::{requests::Entry, server::connection::Breaker};

struct Pieces {
    receiver: Receiver<Piece>,
    entry: Entry,
    breaker: Breaker,
}

/// A body of the pieces that arrive at `receiver`.
pub(crate) fn body(receiver: Receiver<Piece>, entry: Entry, breaker: Breaker) -> Body {
    let pieces = Pieces {
        receiver,
        entry,
        breaker,
    };
    Body::from_stream(stream::unfold(pieces, |mut pieces| async move {
        Some((pieces.next().await?, pieces))
    }))
}

impl Pieces {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            match self.receiver.recv().await? {
                Piece::Data {
                    bytes,
                    record_bytes,
                    records,
                } => {
                    self.entry.add(record_bytes, records);
                    return Some(Ok(bytes));
                }
                Piece::Stall { seconds } => {
                    tokio::time::sleep(Duration::from_secs_f64(seconds)).await
                }
                // The server writes out what it has when the body has nothing ready.
                Piece::Flush => tokio::task::yield_now().await,
                Piece::Reset => {
                    self.breaker.reset();
                    return Some(Err(io::Error::from(io::ErrorKind::ConnectionReset)));
                }
                Piece::Failed(error) => return Some(Err(error)),
            }
        }
    }
}
