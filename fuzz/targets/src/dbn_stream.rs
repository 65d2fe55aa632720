//! A stream of records with its proof, in pieces of any length.

use common::archive::StreamFacts;
use common::dbn_stream::{DbnStream, Sink};
use common::record_layout::RecordLayout;
use common::request::SCHEMAS;
use common::time::Nanos;
use dbn::encode::dbn::MetadataEncoder;
use dbn::{Metadata, Schema};
use zstd::stream::encode_all;

/// How the bytes are compressed.
const AS_THEY_ARE: u8 = 0;
const IN_TWO_FRAMES: u8 = 1;

/// Everything that came out of a stream, and what its end proves.
#[derive(Debug, Default, PartialEq)]
struct Read {
    metadata: Option<Metadata>,
    records: Vec<u8>,
    index_times: Vec<Nanos>,
}

impl Read {
    fn begins_as(&self, longer: &Self) -> bool {
        (self.metadata.is_none() || self.metadata == longer.metadata)
            && longer.records.starts_with(&self.records)
            && longer.index_times.starts_with(&self.index_times)
    }
}

impl Sink for Read {
    fn metadata(&mut self, metadata: Metadata) {
        assert!(self.metadata.is_none() && self.records.is_empty());
        self.metadata = Some(metadata);
    }

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        assert!(self.metadata.is_some());
        self.records.extend_from_slice(record);
        self.index_times.push(index_time);
    }
}

/// The schema by the first byte, the pieces by the second, by the third how the rest is compressed,
/// and the rest.
///
/// # Panics
/// When what comes out depends on the pieces, doesn't add up, or comes out otherwise when it is
/// written and read again.
pub fn dbn_stream(bytes: &[u8]) -> bool {
    let [schema, pieces, compression, rest @ ..] = bytes else {
        return false;
    };
    let schema = SCHEMAS[usize::from(*schema) % SCHEMAS.len()];
    let compressed = match compression % 3 {
        AS_THEY_ARE => rest.to_vec(),
        IN_TWO_FRAMES => {
            let (first, second) = rest.split_at(rest.len() / 2);
            [compress(first), compress(second)].concat()
        }
        _ => compress(rest),
    };
    let (whole, facts) = read(schema, std::iter::once(compressed.as_slice()));
    let (in_pieces, facts_of_pieces) = read(schema, Pieces::of(&compressed, *pieces));
    assert_eq!(facts_of_pieces.is_ok(), facts.is_ok());
    match &facts {
        Ok(_) => assert_eq!((&in_pieces, &facts_of_pieces), (&whole, &facts)),
        // Where the damage is met depends on the pieces, what comes before doesn't.
        Err(_) => assert!(in_pieces.begins_as(&whole) || whole.begins_as(&in_pieces)),
    }
    let layout = RecordLayout::of(schema).record_bytes;
    assert_eq!(whole.records.len(), whole.index_times.len() * layout);
    let Ok(facts) = facts else {
        return false;
    };
    let times = &whole.index_times;
    assert_eq!(facts.records, common::as_u64(times.len()));
    let ends = times.first().copied().zip(times.last().copied());
    assert_eq!(facts.index_times, ends);
    write_and_read_again(schema, &whole);
    true
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    encode_all(bytes, 1).expect("memory can be compressed")
}

fn read<'a>(
    schema: Schema,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Read, Result<StreamFacts, String>) {
    let mut read = Read::default();
    let mut stream = DbnStream::new(schema).expect("a decompressor can be made");
    for piece in pieces {
        if let Err(error) = stream.push(piece, &mut read) {
            return (read, Err(error.to_string()));
        }
    }
    let billable_bytes = stream.billable_bytes();
    let facts = stream.finish();
    if let Ok(facts) = &facts {
        assert_eq!(facts.billable_bytes, billable_bytes);
    }
    (read, facts.map_err(|error| error.to_string()))
}

/// What was accepted, in the current version of the format.
fn write_and_read_again(schema: Schema, accepted: &Read) {
    let metadata = accepted.metadata.as_ref().expect("it was read");
    let mut written = Vec::new();
    // Not all that can be read can be written: names may be longer than they may be.
    if MetadataEncoder::new(&mut written).encode(metadata).is_err() {
        return;
    }
    written.extend_from_slice(&accepted.records);
    let compressed = compress(&written);
    let (again, facts) = read(schema, std::iter::once(compressed.as_slice()));
    assert!(facts.is_ok(), "{facts:?}");
    assert_eq!(&again, accepted);
}

/// Pieces of lengths that look random, of 1 to 64 bytes.
struct Pieces<'a> {
    rest: &'a [u8],
    state: u32,
}

impl<'a> Pieces<'a> {
    fn of(bytes: &'a [u8], seed: u8) -> Self {
        Self {
            rest: bytes,
            state: u32::from(seed) + 1,
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let length = 1 + usize::try_from(self.state >> 26).unwrap_or(0);
        let (piece, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}
