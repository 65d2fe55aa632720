//! Receive: one answer of the source's into the archive, from its first piece to its end.

use bytes::Bytes;
use common::archive::{Archive, Partial, StreamName};
use common::source::{Pieces, Source};
use common::store::Claim;
use common::time::Nanos;
use common::vendor::VendorError;
use tokio::sync::mpsc;

use super::intake::{End, Receiving, Taken};
use super::resume::on_thread;
use crate::environment::Environment;
use crate::error::ChunkError;
use crate::log;

/// Pieces of the body between the network and the thread that checks and writes them.
const PIECES_AHEAD: usize = 16;

/// Receives what comes after these parts: what it came to, or the error; and in any case the bytes
/// that the vendor bills.
pub(super) async fn receive(
    environment: &Environment,
    source: &dyn Source,
    archive: &Archive,
    claim: &Claim,
    stream: &StreamName,
    partial: &Partial,
) -> (Result<Taken, ChunkError>, u64) {
    let receiving = Receiving {
        objects: archive.objects(),
        stream: stream.clone(),
        partial: partial.clone(),
        schema: claim.chunk.schema,
        records_max: claim.chunk.expected.filter(|_| source.is_resumable()),
    };
    let (worker, chunk, now) = (&environment.worker, claim.chunk.id, Nanos::now());
    let unique = format!("{worker}-{chunk}-{}-{}", claim.epoch, now.0);
    let begun = {
        let receiving = receiving.clone();
        on_thread(move || {
            let Receiving {
                objects,
                stream,
                partial,
                ..
            } = &receiving;
            let begun = objects.begin(stream, partial, &unique);
            begun.map_err(ChunkError::Archive)
        })
    };
    let receipt = match begun.await {
        Ok(receipt) => receipt,
        Err(error) => return (Err(error), 0),
    };
    // The vendor may have asked everybody to wait for long, or take long to answer.
    let rest = partial.rest();
    let asked = tokio::select! {
        biased;
        () = environment.stop.cancelled() => Err(ChunkError::Stopped),
        asked = source.get_range(&rest) => asked.map_err(ChunkError::from),
    };
    let pieces = match asked {
        Ok(pieces) => pieces,
        Err(error) => return (Err(error), 0),
    };
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let thread = log::on_thread(move || receiving.take(receipt, receiver));
    let pumped = pump(environment, pieces, sender).await;
    match thread.await {
        Err(error) => (
            Err(ChunkError::Panic(error.to_string())),
            claim.chunk.billable_bytes,
        ),
        Ok((taken, bytes)) => (ended(taken, pumped), bytes),
    }
}

/// An answer that can be judged, or why there is none. A broken connection explains why a stream isn't
/// whole, not the other way round.
fn ended(
    taken: Result<Taken, ChunkError>,
    pumped: Result<(), ChunkError>,
) -> Result<Taken, ChunkError> {
    let taken = taken?;
    let (records, new) = (taken.partial.records(), taken.new);
    let error = match (taken.end, pumped) {
        (end @ (End::Ended | End::Outgrown), _) => return Ok(Taken { end, ..taken }),
        (End::Cut(_) | End::Broken, Err(error)) => error,
        (End::Cut(error), Ok(())) => error.into(),
        (End::Broken, Ok(())) => ChunkError::Stopped,
    };
    let passing = matches!(
        error,
        ChunkError::Vendor(VendorError::Connection(_)) | ChunkError::Stream(_)
    );
    match passing && new > 0 {
        true => Err(ChunkError::Cut {
            records,
            source: Box::new(error),
        }),
        false => Err(error),
    }
}

/// Hands the body on until it ends, fails, or the work is stopped.
async fn pump(
    environment: &Environment,
    mut stream: Box<dyn Pieces>,
    sender: mpsc::Sender<Option<Bytes>>,
) -> Result<(), ChunkError> {
    loop {
        let next = tokio::select! {
            next = stream.next() => next?,
            () = environment.stop.cancelled() => return Err(ChunkError::Stopped),
        };
        let ended = next.is_none();
        // A thread that takes no more has met damage, or has enough, and says so itself.
        if sender.send(next).await.is_err() || ended {
            return Ok(());
        }
    }
}
