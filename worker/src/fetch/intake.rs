//! Intake: the bytes of one answer into the archive, taken apart on the way, on a thread that may
//! block. Whatever ends it, whole records are made durable before the thread ends: it outlives whoever
//! waits for it.

use std::io::Read;

use bytes::Bytes;
use common::archive::{Objects, Orphan, Partial, Receipt, StreamFacts, StreamName};
use common::dbn_stream::{DbnStream, StreamError};
use common::vendor::RangeRequest;
use dbn::Schema;
use tokio::sync::mpsc;

use super::compare::Comparing;
use crate::error::ChunkError;

const READ_BYTES: usize = 256 * 1024;

/// A stream, and what there is of it already.
#[derive(Clone, Debug)]
pub(super) struct Receiving {
    pub(super) objects: Objects,
    pub(super) stream: StreamName,
    pub(super) partial: Partial,
    pub(super) schema: Schema,
    /// Records above which the answer has more than was paid for; for sources that cost nothing,
    /// whose parts are not kept either, there is no such number.
    pub(super) records_max: Option<u64>,
}

/// What an answer came to.
#[derive(Debug)]
pub(super) struct Taken {
    /// The parts that there are now.
    pub(super) partial: Partial,
    /// Records that were not there before.
    pub(super) new: u64,
    pub(super) end: End,
}

/// How an answer ended.
#[derive(Debug)]
pub(super) enum End {
    /// Where a stream can end.
    Ended,
    /// Elsewhere.
    Cut(StreamError),
    /// The connection broke, or the work was stopped.
    Broken,
    /// It was let go: there is more than was paid for.
    Outgrown,
}

impl Receiving {
    /// Takes pieces until the end, which is `None`; without it the connection broke. Also answers the
    /// bytes that the vendor bills.
    pub(super) fn take(
        self,
        receipt: Receipt,
        mut pieces: mpsc::Receiver<Option<Bytes>>,
    ) -> (Result<Taken, ChunkError>, u64) {
        let mut intake = match Intake::new(&self, receipt) {
            Ok(intake) => intake,
            Err(error) => return (Err(error), 0),
        };
        let end = loop {
            match pieces.blocking_recv() {
                None => break End::Broken,
                Some(None) => break End::Ended,
                Some(Some(piece)) => {
                    if let Err(error) = intake.push(&piece) {
                        return (Err(error), intake.decoder.billable_bytes());
                    }
                }
            }
            let received = intake.decoder.facts().records;
            if self.records_max.is_some_and(|most| received > most) {
                break End::Outgrown;
            }
        };
        let billable_bytes = intake.decoder.billable_bytes();
        // Let go before it is written down: what comes meanwhile is billed.
        drop(pieces);
        (self.close(intake, end), billable_bytes)
    }

    /// Takes what a killed process left behind; `None` when there is nothing in it.
    pub(super) fn adopt(mut self, orphan: &Orphan) -> Result<Option<Partial>, ChunkError> {
        let mut bytes = self.objects.open(orphan).map_err(ChunkError::Archive)?;
        let mut intake = Intake::new(&self, Receipt::of(orphan))?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match bytes.read(&mut buffer).map_err(ChunkError::Archive)? {
                0 => break,
                read => intake.push(&buffer[..read])?,
            }
        }
        // It stays where it is, whoever pays.
        self.records_max = Some(u64::MAX);
        let before = self.partial.parts.len();
        let partial = self.close(intake, End::Ended)?.partial;
        if partial.parts.len() == before {
            return Ok(None);
        }
        self.keep(&partial)?;
        Ok(Some(partial))
    }

    fn close(&self, mut intake: Intake, end: End) -> Result<Taken, ChunkError> {
        let facts = intake.decoder.facts();
        prove_times(&self.stream.request, &facts)?;
        let end = match (end, intake.decoder.finish()) {
            (End::Ended, Ok(_)) => End::Ended,
            (
                End::Ended,
                Err(cut @ (StreamError::CutInFrame { .. } | StreamError::CutInRecord { .. })),
            ) => End::Cut(cut),
            (End::Ended, Err(error)) => return Err(error.into()),
            (end, _) => end,
        };
        intake.comparing.check()?;
        intake.comparing.check_order()?;
        // It ended well, and too soon: not even what is kept has come again.
        let short = matches!(end, End::Ended) && intake.comparing.is_short()?;
        let ended = matches!(end, End::Ended) && !short;
        let mut partial = self.partial.clone();
        let mut new = facts.records - intake.comparing.overlap.min(facts.records);
        let of_use = match ended {
            // A whole stream may have no records.
            true => new > 0 || partial.parts.is_empty(),
            false => {
                let resumable = self.records_max.is_some() && intake.comparing.sorted;
                // Where the lease was lost, another goes on, and this is of no use to anybody.
                resumable && new > 0 && self.is_ours()?
            }
        };
        if !of_use {
            new = 0;
            partial.ended = ended;
            return Ok(Taken { partial, new, end });
        }
        let part = intake.receipt.keep(facts, intake.comparing.overlap);
        partial.parts.push(part.map_err(ChunkError::Archive)?);
        partial.tied = intake.comparing.tied;
        partial.fruitless = 0;
        partial.ended = ended;
        fail::fail_point!("part-durable", |_| Err(ChunkError::Panic(
            "part-durable".into()
        )));
        if !ended {
            self.keep(&partial)?;
        }
        Ok(Taken { partial, new, end })
    }

    fn is_ours(&self) -> Result<bool, ChunkError> {
        let ours = self.objects.is_ours(&self.stream, &self.partial);
        ours.map_err(ChunkError::Archive)
    }

    fn keep(&self, partial: &Partial) -> Result<(), ChunkError> {
        let kept = self.objects.keep(&self.stream, partial);
        kept.map_err(ChunkError::Archive)?;
        fail::fail_point!("part-kept", |_| Err(ChunkError::Panic("part-kept".into())));
        Ok(())
    }
}

/// One answer as it comes in.
struct Intake {
    receipt: Receipt,
    decoder: DbnStream,
    comparing: Comparing,
}

impl Intake {
    fn new(receiving: &Receiving, receipt: Receipt) -> Result<Self, ChunkError> {
        let Receiving {
            objects,
            partial,
            schema,
            ..
        } = receiving;
        Ok(Self {
            receipt,
            decoder: DbnStream::new(*schema)?,
            comparing: Comparing::after(objects, partial, *schema),
        })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), ChunkError> {
        self.receipt.write(bytes).map_err(ChunkError::Archive)?;
        self.decoder.push(bytes, &mut self.comparing)?;
        self.comparing.check()
    }
}

/// The records lie within the days that were asked for.
fn prove_times(request: &RangeRequest, facts: &StreamFacts) -> Result<(), ChunkError> {
    match facts.index_times {
        Some((first, last)) if !(request.span.contains(first) && request.span.contains(last)) => {
            Err(ChunkError::OutsideRange { first, last })
        }
        _ => Ok(()),
    }
}
