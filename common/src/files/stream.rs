//! A stream out of files: written on a thread of its own, a few pieces ahead of whoever reads it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroU64;

use bytes::Bytes;
use dbn::encode::dbn::MetadataEncoder;
use dbn::{MappingInterval, Metadata, SType, SymbolMapping};
use tokio::sync::mpsc;

use super::coverage::Asked;
use super::delivery::{Found, merged};
use super::error::FilesError;
use super::merge::{Input, merge};
use crate::source::{Answer, Pieces, SourceError};
use crate::time::Nanos;
use crate::vendor::SymbolWindow;
use crate::vendor::dates::date;

/// Bytes of a piece.
const PIECE_BYTES: usize = 128 * 1024;
/// Pieces that are written ahead.
const PIECES_AHEAD: usize = 8;
/// Fast, and small enough: the archive keeps what it writes.
const COMPRESSION_LEVEL: i32 = 1;

type Piece = Result<Bytes, FilesError>;

/// A stream that is being written.
pub struct FileStream {
    pieces: mpsc::Receiver<Piece>,
}

impl FileStream {
    /// Begins to write the records of the inputs under a header.
    pub fn begin(metadata: Metadata, inputs: Vec<Input>) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        // Its end is the channel's: a thread that fails leaves a stream that is not whole.
        drop(tokio::task::spawn_blocking(move || {
            let told = sender.clone();
            if let Err(error) = write(&metadata, inputs, sender, &told) {
                // Whoever reads may be gone.
                let _gone = told.blocking_send(Err(error));
            }
        }));
        Self { pieces }
    }
}

impl Pieces for FileStream {
    fn next(&mut self) -> Answer<'_, Option<Bytes>> {
        Box::pin(async move {
            let piece = self.pieces.recv().await.transpose();
            piece.map_err(SourceError::Files)
        })
    }
}

fn write(
    metadata: &Metadata,
    inputs: Vec<Input>,
    sender: mpsc::Sender<Piece>,
    told: &mpsc::Sender<Piece>,
) -> Result<(), FilesError> {
    let out = Out {
        sender,
        piece: Vec::with_capacity(PIECE_BYTES),
    };
    let mut encoder =
        zstd::stream::write::Encoder::new(out, COMPRESSION_LEVEL).map_err(FilesError::Encoding)?;
    MetadataEncoder::new(&mut encoder)
        .encode(metadata)
        .map_err(|error| FilesError::Encoding(io::Error::other(error)))?;
    merge(
        inputs,
        || told.is_closed(),
        |record| encoder.write_all(record).map_err(FilesError::Encoding),
    )?;
    let mut out = encoder.finish().map_err(FilesError::Encoding)?;
    out.flush().map_err(FilesError::Encoding)
}

/// The channel as something to write to.
struct Out {
    sender: mpsc::Sender<Piece>,
    piece: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        let sent = self.sender.blocking_send(Ok(full.into()));
        sent.map_err(|_| io::Error::other("nobody reads the stream any more"))
    }
}

/// The header of the answer to a request, as the vendor would write it.
pub fn header(found: &Found, asked: &Asked<'_>) -> Metadata {
    let unsigned = |instant: Nanos| u64::try_from(instant.0).unwrap_or(0);
    let symbols = match asked.symbols.names() {
        None => vec!["ALL_SYMBOLS".to_owned()],
        Some(names) => names.to_vec(),
    };
    Metadata::builder()
        .dataset(asked.dataset)
        .schema(Some(asked.schema))
        .start(unsigned(asked.span.start))
        .end(NonZeroU64::new(unsigned(asked.span.end)))
        .stype_in(Some(asked.stype_in))
        .stype_out(SType::InstrumentId)
        .symbols(symbols)
        .mappings(mappings(found, asked))
        .build()
}

/// What the request's symbols mean, as a header says it.
pub fn mappings(found: &Found, asked: &Asked<'_>) -> Vec<SymbolMapping> {
    let Some(days) = asked.span.whole_days() else {
        return Vec::new();
    };
    let interval = |window: &SymbolWindow| MappingInterval {
        start_date: date(window.days.start()),
        end_date: date(window.days.end()),
        symbol: window.instrument_id.to_string(),
    };
    // Several parents of one file mean the same members.
    let mut meant: BTreeMap<String, Vec<SymbolWindow>> = BTreeMap::new();
    let wanted = asked.wanted();
    for symbol in wanted.names {
        for (name, windows) in found.windows(&wanted, symbol, days) {
            meant.entry(name).or_default().extend(windows);
        }
    }
    let mapping = |(raw_symbol, windows)| SymbolMapping {
        raw_symbol,
        intervals: merged(windows).iter().map(interval).collect(),
    };
    meant.into_iter().map(mapping).collect()
}
