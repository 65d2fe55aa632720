//! A compressed stream of records, taken apart as it comes in, with the proof that it is whole.
//!
//! The usual decoders take the end of their input for the end of the stream: cut inside a compressed
//! frame or inside a record, it looks complete to them. Here bytes are pushed in, and
//! [`DbnStream::finish`] says whether they ended where a stream can end: at the end of a frame, and at
//! the end of a record. A stream that was cut between two frames is whole by that measure; only the
//! vendor's count of records tells.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use crate::archive::StreamFacts;
use crate::as_u64;
use crate::record_layout::RecordLayout;
use crate::time::Nanos;
use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use dbn::{Metadata, RType, Record, RecordHeader, Schema, VersionUpgradePolicy, v1, v2};
use zstd::stream::raw::{CParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Bytes of a metadata header above which a stream is taken for damaged; the largest known is 5.9 MB.
const METADATA_BYTES_MAX: u32 = 256 * 1024 * 1024;
/// What a zstd frame begins with.
pub const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const PRELUDE_BYTES: usize = 8;
const OUTPUT_BYTES: usize = 128 * 1024;
/// Bytes that are read of a plain file at a time.
const PLAIN_BYTES: usize = 32 * 1024;

/// Why a stream can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Nothing was sent.
    #[error("the stream is empty")]
    Empty,
    /// It ended inside a compressed frame.
    #[error("the stream was cut inside a compressed frame, after {records} records")]
    CutInFrame {
        /// Whole records before the cut.
        records: u64,
    },
    /// It ended inside the header.
    #[error("the stream was cut inside its header")]
    CutInHeader,
    /// It ended inside a record.
    #[error("the stream was cut inside a record, after {records} records")]
    CutInRecord {
        /// Whole records before the cut.
        records: u64,
    },
    /// The compression is damaged, or there is none.
    #[error("the stream is damaged after {records} records")]
    Compression {
        /// Whole records before the damage.
        records: u64,
        /// What the decompressor says.
        #[source]
        source: io::Error,
    },
    /// The records can't be read.
    #[error("the stream's records can't be read after {records} of them")]
    Records {
        /// Whole records before that one.
        records: u64,
        /// What the decoder says.
        #[source]
        source: dbn::Error,
    },
    /// A record that doesn't belong into the stream.
    #[error("record {number} of the stream {what}")]
    Foreign {
        /// Its number, from 0.
        number: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What comes out of a stream, in its order.
pub trait Sink {
    /// The header; once, before the records.
    fn metadata(&mut self, metadata: Metadata);

    /// One record's bytes, in the current version's layout.
    fn record(&mut self, record: &[u8], index_time: Nanos);

    /// Whether the rest of the stream is of no use to it.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// A sink for whoever wants the proof alone.
#[derive(Debug)]
pub struct ProofOnly;

impl Sink for ProofOnly {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, _record: &[u8], _index_time: Nanos) {}
}

/// A stream that is being taken apart.
pub struct DbnStream {
    schema: Schema,
    record_type: u8,
    record_bytes: usize,
    zstd: Decoder<'static>,
    /// Whether the last frame is complete; `None` before the first byte.
    frame_complete: Option<bool>,
    output: Vec<u8>,
    fsm: DbnFsm,
    /// The header's bytes so far; `None` once the decoder has them all.
    header: Option<Vec<u8>>,
    uncompressed: u64,
    header_bytes: u64,
    records: u64,
    index_times: Option<(Nanos, Nanos)>,
}

impl DbnStream {
    /// A stream of one schema's records.
    ///
    /// # Errors
    /// [`StreamError`] when the decompressor can't be made.
    pub fn new(schema: Schema) -> Result<Self, StreamError> {
        Self::with_output(schema, OUTPUT_BYTES)
    }

    /// A stream that is taken apart by so many bytes at a time, for many at once.
    ///
    /// # Errors
    /// [`StreamError`] when the decompressor can't be made.
    pub fn with_output(schema: Schema, output_bytes: usize) -> Result<Self, StreamError> {
        let zstd =
            Decoder::new().map_err(|source| StreamError::Compression { records: 0, source })?;
        let fsm = DbnFsm::builder()
            .upgrade_policy(VersionUpgradePolicy::UpgradeToV3)
            .build()
            .map_err(|source| StreamError::Records { records: 0, source })?;
        Ok(Self {
            schema,
            record_type: RType::from(schema) as u8,
            record_bytes: RecordLayout::of(schema).record_bytes,
            zstd,
            frame_complete: None,
            output: vec![0; output_bytes],
            fsm,
            header: Some(Vec::with_capacity(PRELUDE_BYTES)),
            uncompressed: 0,
            header_bytes: 0,
            records: 0,
            index_times: None,
        })
    }

    /// Uncompressed bytes of records so far: what the vendor bills, also for a stream that failed.
    #[must_use]
    pub fn billable_bytes(&self) -> u64 {
        match self.header_bytes {
            0 => 0,
            header => self.uncompressed.saturating_sub(header),
        }
    }

    /// Takes the next compressed bytes.
    ///
    /// # Errors
    /// [`StreamError`] when they can't be part of such a stream.
    pub fn push(&mut self, compressed: &[u8], sink: &mut impl Sink) -> Result<(), StreamError> {
        let mut input = InBuffer::around(compressed);
        let mut output = std::mem::take(&mut self.output);
        let pushed = self.push_input(&mut input, &mut output, sink);
        self.output = output;
        pushed
    }

    fn push_input(
        &mut self,
        input: &mut InBuffer<'_>,
        output: &mut Vec<u8>,
        sink: &mut impl Sink,
    ) -> Result<(), StreamError> {
        loop {
            let mut out = OutBuffer::around(output.as_mut_slice());
            let before = input.pos();
            let left =
                self.zstd
                    .run(input, &mut out)
                    .map_err(|source| StreamError::Compression {
                        records: self.records,
                        source,
                    })?;
            let written = out.pos();
            if input.pos() > before || written > 0 {
                self.frame_complete = Some(left == 0);
            }
            self.take_output(&output[..written], sink)?;
            // A full output may have left more behind in the decompressor.
            if input.pos() == input.src.len() && written < output.len() {
                return Ok(());
            }
        }
    }

    fn take_output(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), StreamError> {
        self.uncompressed += as_u64(bytes.len());
        let bytes = self.take_header(bytes)?;
        if self.header.is_some() {
            return Ok(());
        }
        self.fsm.write_all(bytes);
        self.take_records(sink)
    }

    /// Takes what belongs to the header, and gives back the rest. The decoder gets a header that is
    /// whole: it makes room for as much as the prelude says, be there so much or not.
    fn take_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], StreamError> {
        let Some(header) = &mut self.header else {
            return Ok(bytes);
        };
        let rest = extend_to(header, PRELUDE_BYTES, bytes);
        let [d, b, n, _version, length @ ..] = header.as_slice() else {
            return Ok(rest);
        };
        let Some(length) = length.first_chunk().copied().map(u32::from_le_bytes) else {
            return Ok(rest);
        };
        if [*d, *b, *n] != *b"DBN" || length > METADATA_BYTES_MAX {
            return Err(StreamError::Foreign {
                number: 0,
                what: "comes after a header that is none",
            });
        }
        self.header_bytes = as_u64(PRELUDE_BYTES) + u64::from(length);
        let whole = usize::try_from(self.header_bytes).unwrap_or(usize::MAX);
        let rest = extend_to(header, whole, rest);
        if header.len() == whole {
            self.fsm.write_all(header);
            self.header = None;
        }
        Ok(rest)
    }

    fn take_records(&mut self, sink: &mut impl Sink) -> Result<(), StreamError> {
        loop {
            self.check_next()?;
            match self.fsm.process() {
                ProcessResult::ReadMore(_) => return Ok(()),
                ProcessResult::Metadata(metadata) => {
                    if metadata.schema != Some(self.schema) {
                        return Err(self.foreign("comes after a header of another schema"));
                    }
                    // Its records are longer than the decoder takes them for, which it panics over.
                    if metadata.ts_out {
                        return Err(self.foreign("comes after a header with times of sending"));
                    }
                    // Nothing could be written into them: the encoder panics over such a header.
                    if metadata.symbol_cstr_len == 0 {
                        return Err(self.foreign("comes after a header with symbols of no length"));
                    }
                    sink.metadata(metadata);
                }
                ProcessResult::Record(()) => {
                    let Some(record) = self.fsm.last_record() else {
                        return Err(self.foreign("is missing"));
                    };
                    let bytes: &[u8] = record.as_ref();
                    let Ok(index_time) = i64::try_from(record.raw_index_ts()).map(Nanos) else {
                        return Err(self.foreign("has no index time"));
                    };
                    sink.record(bytes, index_time);
                    self.records += 1;
                    let first = self.index_times.map_or(index_time, |(first, _)| first);
                    self.index_times = Some((first, index_time));
                }
                ProcessResult::Err(source) => {
                    return Err(StreamError::Records {
                        records: self.records,
                        source,
                    });
                }
            }
        }
    }

    /// The next record is one of the schema's. Looked at before the decoder does: it takes the
    /// type's word for the length, and panics over a record of an older version that is too short.
    fn check_next(&self) -> Result<(), StreamError> {
        let (true, [length, record_type, ..]) = (self.fsm.has_decoded_metadata(), self.fsm.data())
        else {
            return Ok(());
        };
        if usize::from(*length) * RecordHeader::LENGTH_MULTIPLIER != self.sent_record_bytes() {
            return Err(self.foreign("has the length of another schema"));
        }
        if *record_type != self.record_type {
            return Err(self.foreign("has the type of another schema"));
        }
        Ok(())
    }

    /// Bytes of a record as it is sent: older versions of the format have shorter ones.
    fn sent_record_bytes(&self) -> usize {
        match (self.fsm.input_dbn_version(), self.schema) {
            (Some(1 | 2), Schema::Statistics) => size_of::<v1::StatMsg>(),
            (Some(1), Schema::Definition) => size_of::<v1::InstrumentDefMsg>(),
            (Some(2), Schema::Definition) => size_of::<v2::InstrumentDefMsg>(),
            _ => self.record_bytes,
        }
    }

    fn foreign(&self, what: &'static str) -> StreamError {
        StreamError::Foreign {
            number: self.records,
            what,
        }
    }

    /// What was found so far: of a stream that was cut, its whole records.
    #[must_use]
    pub fn facts(&self) -> StreamFacts {
        StreamFacts {
            records: self.records,
            billable_bytes: self.billable_bytes(),
            index_times: self.index_times,
        }
    }

    /// The proof, once all bytes were pushed: the stream ended where a stream can end.
    ///
    /// # Errors
    /// [`StreamError`] that says where it was cut.
    pub fn finish(self) -> Result<StreamFacts, StreamError> {
        let records = self.records;
        match self.frame_complete {
            None => return Err(StreamError::Empty),
            Some(false) => return Err(StreamError::CutInFrame { records }),
            Some(true) => {}
        }
        if !self.fsm.has_decoded_metadata() {
            return Err(StreamError::CutInHeader);
        }
        if !self.fsm.data().is_empty() {
            return Err(StreamError::CutInRecord { records });
        }
        Ok(self.facts())
    }
}

/// Moves bytes to the end of `taken` until it has `length` of them; gives back the rest.
fn extend_to<'a>(taken: &mut Vec<u8>, length: usize, bytes: &'a [u8]) -> &'a [u8] {
    let missing = length.saturating_sub(taken.len());
    let (more, rest) = bytes.split_at(missing.min(bytes.len()));
    taken.extend_from_slice(more);
    rest
}

/// A DBN file's bytes as a compressed stream: what is plain is compressed on the way, so that there
/// is one way to read it and one proof.
///
/// # Errors
/// When the file can't be read.
pub fn open_compressed(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    const FASTEST: i32 = 1;
    /// 128 KiB: what is read back at once needs no long memory.
    const WINDOW_LOG: u32 = 17;
    let mut file = File::open(path)?;
    let mut magic = Vec::with_capacity(ZSTD_MAGIC.len());
    file.by_ref()
        .take(u64::try_from(ZSTD_MAGIC.len()).unwrap_or_default())
        .read_to_end(&mut magic)?;
    file.rewind()?;
    if magic == ZSTD_MAGIC {
        return Ok(Box::new(file));
    }
    let file = BufReader::with_capacity(PLAIN_BYTES, file);
    let mut encoder = zstd::stream::read::Encoder::with_buffer(file, FASTEST)?;
    encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
    Ok(Box::new(encoder))
}
