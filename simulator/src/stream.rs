//! The body of `timeseries.get_range`: a header and records in frames, made in a thread of its own
//! and handed over in pieces, so that a stream of any length takes the memory of one frame.

pub(crate) mod frames;
pub(crate) mod text;
pub(crate) mod ending;
pub(crate) mod body;

use std::io;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use self::{
    ending::{Cut, Ending},
    frames::{Frame, Packing, corrupted, frame_records, part_len},
};
use crate::records::Source;

/// Bytes of one piece at most.
const PIECE_BYTES: usize = 64 * 1024;

/// What goes to the body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data {
        bytes: Bytes,
        /// Uncompressed bytes of the records that are whole on the wire with this piece, and how
        /// many they are.
        record_bytes: u64,
        records: u64,
    },
    /// What went before must be on the wire before anything else happens.
    Flush,
    /// Nothing for a while.
    Stall { seconds: f64 },
    /// The connection ends here.
    Reset,
    /// A recorded file could not be read further.
    Failed(io::Error),
}

/// What a stream is made of.
pub(crate) struct Plan {
    pub(crate) source: Box<dyn Source>,
    /// The encoded metadata, or the head line of CSV.
    pub(crate) header: Vec<u8>,
    pub(crate) record_size: usize,
    pub(crate) limit: Option<u64>,
    pub(crate) packing: Packing,
    pub(crate) ending: Ending,
}

/// Why no more frames are to be sent.
enum Stop {
    /// The receiver has no use for them.
    Gone,
    /// The stream is cut, as planned.
    Cut,
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Makes the stream. Blocks whenever the receiver is slower.
pub(crate) fn produce(plan: Plan, sender: &Sender<Piece>) {
    let ended = match plan.ending {
        Ending::EmptyBody => Ok(()),
        _ => Producer {
            plan,
            sender,
            block: Vec::new(),
            waiting: Vec::new(),
            sent: 0,
        }
        .run(),
    };
    if let Err(Stop::Failed(error)) = ended {
        // A receiver that is gone needs no error either.
        let _gone = sender.blocking_send(Piece::Failed(error));
    }
}

struct Producer<'a> {
    plan: Plan,
    sender: &'a Sender<Piece>,
    block: Vec<u8>,
    /// Records read from the source and not yet in a frame.
    waiting: Vec<u8>,
    /// Records in the frames sent so far.
    sent: u64,
}

impl Producer<'_> {
    fn run(mut self) -> Result<(), Stop> {
        let header = std::mem::take(&mut self.plan.header);
        if self.plan.ending == Ending::MetadataOnly {
            return self.send_frame(&Frame::new(header, Vec::new(), self.plan.record_size));
        }
        let mut prefix = header;
        let mut index = 0;
        loop {
            let frame = self.next_frame(
                std::mem::take(&mut prefix),
                frame_records(index, self.plan.record_size),
            )?;
            if frame.is_empty() {
                return Ok(());
            }
            self.send_or_cut(frame)?;
            index = index.saturating_add(1);
        }
    }

    /// The next `records` records at most, after `prefix`.
    fn next_frame(&mut self, prefix: Vec<u8>, records: u64) -> Result<Frame, Stop> {
        let left = self
            .plan
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(self.sent));
        let records = usize::try_from(records.min(left)).unwrap_or(usize::MAX);
        let wanted = records.saturating_mul(self.plan.record_size);
        while self.waiting.len() < wanted {
            self.block.clear();
            self.plan.source.refill(&mut self.block)?;
            if self.block.is_empty() {
                break;
            }
            self.waiting.extend_from_slice(&self.block);
        }
        let taken = self.waiting.len().min(wanted);
        let rest = self.waiting.split_off(taken);
        let body = std::mem::replace(&mut self.waiting, rest);
        Ok(Frame::new(prefix, body, self.plan.record_size))
    }

    /// Sends a frame, or cuts the stream in it where it is to be cut.
    fn send_or_cut(&mut self, frame: Frame) -> Result<(), Stop> {
        let Ending::Cut { cut, after } = self.plan.ending else {
            return self.send_frame(&frame);
        };
        let end = self.sent + frame.records;
        // A stream without records is cut in its header.
        if after >= end && end > 0 {
            return self.send_frame(&frame);
        }
        let within = after - self.sent;
        match cut {
            Cut::AtFrame => self.send_frame(&frame.truncated(within, self.plan.record_size))?,
            Cut::InRecord => {
                self.send_frame(&frame.truncated_in_record(within, self.plan.record_size))?
            }
            Cut::InFrame => {
                self.send_part(&frame, within)?;
            }
            Cut::Short => {
                self.send_part(&frame, within)?;
                self.send(Piece::Flush)?;
            }
            Cut::Reset => {
                self.send_part(&frame, within)?;
                self.send(Piece::Flush)?;
                self.send(Piece::Reset)?;
            }
            Cut::Stall { seconds } => {
                let (rest, whole) = self.send_part(&frame, within)?;
                self.send(Piece::Stall { seconds })?;
                self.plan.ending = Ending::Whole;
                self.sent += frame.records;
                return self.send_bytes(rest, frame.records - whole);
            }
            Cut::Corrupt => {
                self.plan.ending = Ending::Whole;
                self.sent += frame.records;
                let damaged = corrupted(frame.packed(self.plan.packing)?, self.plan.packing);
                return self.send_bytes(damaged, frame.records);
            }
        }
        Err(Stop::Cut)
    }

    fn send_frame(&mut self, frame: &Frame) -> Result<(), Stop> {
        self.sent += frame.records;
        self.send_bytes(frame.packed(self.plan.packing)?, frame.records)
    }

    /// Sends part of a packed frame, about as much as its first `records` records take; returns
    /// what is left of it, and how many records were whole in the part.
    fn send_part(&self, frame: &Frame, records: u64) -> Result<(Vec<u8>, u64), Stop> {
        let mut packed = frame.packed(self.plan.packing)?;
        let rest = packed.split_off(part_len(packed.len(), records, frame.records));
        let whole = frame.records_in_part(&packed, self.plan.packing, self.plan.record_size);
        self.send_bytes(packed, whole)?;
        Ok((rest, whole))
    }

    /// Sends bytes in pieces, of which the last completes `records` records.
    fn send_bytes(&self, bytes: Vec<u8>, records: u64) -> Result<(), Stop> {
        let record_bytes = records * u64::try_from(self.plan.record_size).unwrap_or(0);
        let bytes = Bytes::from(bytes);
        let mut at = 0;
        while at < bytes.len() {
            let end = bytes.len().min(at + PIECE_BYTES);
            let (record_bytes, records) = if end == bytes.len() {
                (record_bytes, records)
            } else {
                (0, 0)
            };
            self.send(Piece::Data {
                bytes: bytes.slice(at..end),
                record_bytes,
                records,
            })?;
            at = end;
        }
        Ok(())
    }

    fn send(&self, piece: Piece) -> Result<(), Stop> {
        self.sender.blocking_send(piece).map_err(|_| Stop::Gone)
    }
}
