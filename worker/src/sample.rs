//! Sample: one DBN file through transform and validate, to see what the rules say of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use common::configuration::mapping::Mapping;
use common::dbn_stream::{ZSTD_MAGIC, open_compressed};
use common::expression::Parameters;
use common::time::Nanos;
use dbn::decode::{DbnMetadata, DynDecoder};
use dbn::{Metadata, VersionUpgradePolicy};

use crate::decode::{Decoded, decode};
use crate::error::ChunkError;
use crate::transform::parts;
use crate::validate::{Tally, Validator};

/// Bytes by which a file's format is told.
const PRELUDE_BYTES: u64 = 12;

/// Why a file can't be judged.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Nothing is there.
    #[error("there is no such file")]
    Missing,
    /// A folder is there.
    #[error("this is a folder")]
    Folder,
    /// A pipe, a socket or a device is there.
    #[error("this is no regular file")]
    NotRegular,
    /// It can't be opened or read.
    #[error("the file can't be read")]
    Unreadable(#[source] io::Error),
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It ends before its records begin.
    #[error("the file was cut inside its header")]
    CutInHeader,
    /// It is of the format before DBN.
    #[error("this is the vendor's format before DBN")]
    BeforeDbn,
    /// It is something else.
    #[error("this is no DBN file")]
    NotDbn,
    /// Its records can't be read, or kept.
    #[error(transparent)]
    Records(#[from] ChunkError),
}

impl SampleError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing => "check the path",
            Self::Folder | Self::NotRegular => "name one DBN file (.dbn or .dbn.zst)",
            Self::Unreadable(_) => "check the path and its permissions",
            Self::BeforeDbn => "convert it with `dbn`",
            Self::NotDbn => {
                "name a DBN file with a header, as the vendor sends it (.dbn or .dbn.zst)"
            }
            Self::Empty | Self::CutInHeader | Self::Records(_) => {
                "name a whole file, as the vendor sends it"
            }
        }
    }
}

/// A file's header.
///
/// # Errors
/// [`SampleError`] when it is no DBN file, or a fragment of one without a header.
pub fn header(path: &Path) -> Result<Metadata, SampleError> {
    // Asked before it is opened: to open a pipe that nobody writes into would take forever.
    let found = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SampleError::Missing,
        _ => SampleError::Unreadable(error),
    })?;
    if found.is_dir() {
        return Err(SampleError::Folder);
    }
    if !found.is_file() {
        return Err(SampleError::NotRegular);
    }
    let mut prelude = Vec::new();
    let file = File::open(path).map_err(SampleError::Unreadable)?;
    let read = file.take(PRELUDE_BYTES).read_to_end(&mut prelude);
    read.map_err(SampleError::Unreadable)?;
    check_format(&prelude)?;
    let decoder = DynDecoder::from_file(path, VersionUpgradePolicy::UpgradeToV3);
    let decoder = decoder.map_err(|error| match error {
        dbn::Error::Io { source, .. } => match source.kind() {
            io::ErrorKind::UnexpectedEof => SampleError::CutInHeader,
            _ => SampleError::Unreadable(source),
        },
        _ => SampleError::NotDbn,
    })?;
    Ok(decoder.metadata().clone())
}

fn check_format(prelude: &[u8]) -> Result<(), SampleError> {
    match prelude {
        [] => Err(SampleError::Empty),
        // A frame that decompressors skip, with the former format's header in it.
        [
            0x50..=0x5f,
            0x2a,
            0x4d,
            0x18,
            _,
            _,
            _,
            _,
            b'D',
            b'B',
            b'Z',
            ..,
        ] => Err(SampleError::BeforeDbn),
        [b'D', b'B', b'N', ..] => Ok(()),
        _ if prelude.starts_with(&ZSTD_MAGIC) => Ok(()),
        _ => Err(SampleError::NotDbn),
    }
}

/// What all rules of the mapping say of a file's records; those that are off are only counted.
///
/// # Errors
/// [`ChunkError`] when the file is not whole.
pub fn judge(path: &Path, metadata: &Metadata, mapping: &Mapping) -> Result<Tally, ChunkError> {
    let file = open_compressed(path).map_err(ChunkError::Archive)?;
    let nanos = |time: u64| Nanos(i64::try_from(time).unwrap_or(i64::MAX));
    let parameters = Parameters {
        chunk_start: nanos(metadata.start),
        chunk_end: metadata.end.map_or(Nanos(i64::MAX), |end| nanos(end.get())),
    };
    let mut validator = Validator::of_all(mapping, parameters);
    let facts = decode(file, mapping.schema, |decoded| {
        if let Decoded::Records(block) = decoded {
            for part in parts(mapping, block, parameters) {
                validator.validate_part(&part.records, part.rows, part.unfit.as_ref());
            }
        }
        true
    });
    facts.map(|_| validator.finish())
}
