//! Joined: an archived stream read through its parts as one, with the proof that each is what was
//! archived.

use std::io::{self, ErrorKind, Read};

use dbn::{Metadata, Schema};
use sha2::{Digest, Sha256};

use super::manifest::{Part, StreamFacts};
use super::storage::Storage;
use crate::dbn_stream::{DbnStream, Sink, StreamError};
use crate::time::Nanos;

const READ_BYTES: usize = 256 * 1024;

/// Why an archived stream can't be read.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The archive failed.
    #[error("the archive failed")]
    Archive(#[from] io::Error),
    /// What is stored is not what was archived.
    #[error("{0}")]
    Damaged(String),
    /// It is what was archived, and no whole stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Whoever reads it wants no more.
    #[error("nobody reads any further")]
    Stopped,
}

/// Reads parts as one stream to their end: the header of the first, and the records of all without
/// the overlap. `whole` says whether the last has to end where a stream can end.
pub(super) fn read(
    storage: &dyn Storage,
    parts: &[Part],
    schema: Schema,
    whole: bool,
    sink: &mut impl Sink,
) -> Result<StreamFacts, JoinError> {
    let mut facts = StreamFacts::default();
    for (number, part) in parts.iter().enumerate() {
        let mut joining = Joining {
            sink,
            first: number == 0,
            overlap: part.overlap,
        };
        let last = number + 1 == parts.len();
        let found = read_part(storage, part, schema, whole && last, &mut joining)?;
        facts.records += found.records - part.overlap.min(found.records);
        facts.billable_bytes += found.billable_bytes;
        facts.index_times = match (facts.index_times, found.index_times) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (before, found) => before.or(found),
        };
    }
    Ok(facts)
}

fn read_part(
    storage: &dyn Storage,
    part: &Part,
    schema: Schema,
    whole: bool,
    sink: &mut impl Sink,
) -> Result<StreamFacts, JoinError> {
    let mut bytes = Hashing {
        reader: storage.open(&part.name).map_err(missing)?,
        sha256: Sha256::new(),
    };
    let mut stream = DbnStream::new(schema)?;
    let read = push_all(&mut bytes, &mut stream, sink);
    if let Err(error @ JoinError::Archive(_)) = read {
        return Err(error);
    }
    // Not every change is one that the decoder could notice; and what it, or anything after it, took
    // exception to may be the change.
    if bytes.sha256()? != part.sha256 {
        return Err(damaged("its bytes are not those that were archived"));
    }
    read?;
    let facts = stream.facts();
    match stream.finish() {
        Ok(_) => {}
        Err(StreamError::CutInFrame { .. } | StreamError::CutInRecord { .. }) if !whole => {}
        Err(error) => return Err(error.into()),
    }
    match facts.records == part.records {
        true => Ok(facts),
        false => Err(damaged("its records are not as many as were archived")),
    }
}

fn push_all(
    bytes: &mut impl Read,
    stream: &mut DbnStream,
    sink: &mut impl Sink,
) -> Result<(), JoinError> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = bytes.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        let pushed = stream.push(&buffer[..read], sink);
        if sink.is_stopped() {
            return Err(JoinError::Stopped);
        }
        pushed?;
    }
}

fn damaged(what: &str) -> JoinError {
    JoinError::Damaged(what.to_owned())
}

fn missing(error: io::Error) -> JoinError {
    match error.kind() {
        ErrorKind::NotFound => damaged("a part of it is missing"),
        _ => error.into(),
    }
}

/// The sink of the whole, as a part's records go into it.
struct Joining<'a, S> {
    sink: &'a mut S,
    first: bool,
    overlap: u64,
}

impl<S: Sink> Sink for Joining<'_, S> {
    fn metadata(&mut self, metadata: Metadata) {
        if self.first {
            self.sink.metadata(metadata);
        }
    }

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        match self.overlap {
            0 => self.sink.record(record, index_time),
            _ => self.overlap -= 1,
        }
    }

    fn is_stopped(&self) -> bool {
        self.sink.is_stopped()
    }
}

/// A reader that hashes what it reads.
pub(super) struct Hashing<R> {
    pub(super) reader: R,
    pub(super) sha256: Sha256,
}

impl<R: Read> Hashing<R> {
    /// The SHA-256 of all there is, read or not, in hexadecimal digits.
    fn sha256(mut self) -> io::Result<String> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(crate::hex(&self.sha256.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.sha256.update(&buffer[..read]);
        Ok(read)
    }
}
