//! A file's header: what it was asked for, and whether it can prove that it holds all of that.
//!
//! | in the header | what becomes of it |
//! |---|---|
//! | none, or damaged | refused: a fragment proves nothing |
//! | no schema | refused: a live capture was not asked for anything |
//! | no end, an end in the future, a `limit`, `ts_out` | refused once a job needs the file |
//! | no symbols, or `ALL_SYMBOLS` | every instrument |

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use dbn::decode::dbn::MetadataDecoder;
use dbn::{Metadata, SType, Schema};
use tokio::sync::OnceCell;

use super::error::FilesError;
use super::proof::Facts;
use crate::dbn_stream::ZSTD_MAGIC;
use crate::request::Symbols;
use crate::time::{Nanos, Span};

const PRELUDE_BYTES: usize = 8;
/// The newest version of the format that is read.
const VERSION_MAX: u8 = 3;
/// Bytes of a header above which it is taken for damaged; the largest known is 5.9 MB.
const HEADER_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// A DBN file, by its header.
#[derive(Debug)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name below the job's folder.
    pub name: String,
    /// What it was when its header was read.
    pub stamp: Stamp,
    /// The header.
    pub metadata: Metadata,
    /// The schema.
    pub schema: Schema,
    /// The SHA-256 that a batch download's list gives it.
    pub listed_sha256: Option<String>,
    /// What reading it whole found, once it was read.
    pub facts: OnceCell<Arc<Facts>>,
}

/// By what a file that was changed is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its size.
    pub bytes: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

impl Stamp {
    /// A file's stamp by now.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

impl DataFile {
    /// Reads a file's header.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when there is none that tells the schema.
    pub fn read(root: &Path, path: &Path) -> Result<Self, FilesError> {
        let unreadable = |error| FilesError::unreadable(path, error);
        let stamp = Stamp::of(path).map_err(unreadable)?;
        let file = File::open(path).map_err(unreadable)?;
        let metadata = read_header(path, BufReader::new(file))?;
        let Some(schema) = metadata.schema else {
            let message = "the file names no schema: it is a live capture";
            let help = "only what was asked of the history can prove that it is complete; \
                        move the file elsewhere";
            return Err(FilesError::refuse(path, message, help));
        };
        let name = path.strip_prefix(root).unwrap_or(path);
        Ok(Self {
            path: path.to_path_buf(),
            name: name.display().to_string(),
            stamp,
            metadata,
            schema,
            listed_sha256: None,
            facts: OnceCell::new(),
        })
    }

    /// What the file was asked for by name.
    pub fn symbols(&self) -> Symbols {
        let symbols = &self.metadata.symbols;
        if symbols.is_empty() || symbols.iter().any(|symbol| symbol == "ALL_SYMBOLS") {
            return Symbols::ALL;
        }
        Symbols::named(symbols.clone())
    }

    /// How the file's symbols are written.
    pub fn stype_in(&self) -> Option<SType> {
        self.metadata.stype_in
    }

    /// From when until when the header says that the file goes.
    pub fn span(&self) -> Span {
        let nanos = |value: u64| Nanos(i64::try_from(value).unwrap_or(i64::MAX));
        let end = self.metadata.end.map_or(0, |end| end.get());
        Span {
            start: nanos(self.metadata.start),
            end: nanos(end),
        }
    }

    /// Why the file can't prove that it is complete, and what to do.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.metadata.limit.is_some() {
            Some((
                "the file was asked for with a limit: what lies beyond it is not in it",
                "download the range again without `limit`, or move the file elsewhere",
            ))
        } else if self.metadata.end.is_none() {
            Some((
                "the file's header names no end: nothing says how far it goes",
                "download a range with an end, or move the file elsewhere",
            ))
        } else if self.span().end > Nanos::now() {
            Some((
                "the file's header ends in the future: what follows is not in it",
                "download the range again once it is past, or move the file elsewhere",
            ))
        } else if self.metadata.ts_out || self.metadata.stype_out != SType::InstrumentId {
            Some((
                "the file's records are not those of a request for history",
                "download the range with `stype_out` instrument_id, or move the file elsewhere",
            ))
        } else if self.metadata.stype_in.is_none() {
            Some((
                "the file's header doesn't say how its symbols are written",
                "download the range again, or move the file elsewhere",
            ))
        } else {
            None
        }
    }

    /// Whether both are the same file, by all that its proof goes by.
    pub fn is_same(&self, other: &Self) -> bool {
        self.path == other.path
            && self.stamp == other.stamp
            && self.metadata == other.metadata
            && self.listed_sha256 == other.listed_sha256
    }

    /// The file is still what it was when its header was read.
    ///
    /// # Errors
    /// [`FilesError::Changing`] when it was changed.
    pub fn unchanged(&self) -> Result<(), FilesError> {
        match Stamp::of(&self.path) {
            Err(error) => Err(FilesError::unreadable(&self.path, error)),
            Ok(stamp) if stamp == self.stamp => Ok(()),
            Ok(_) => Err(FilesError::Changing {
                path: self.path.display().to_string(),
            }),
        }
    }
}

/// The header of a file's bytes, compressed or not.
///
/// # Errors
/// [`FilesError`] when there is none, or it can't be read.
pub fn read_header(path: &Path, mut bytes: impl Read) -> Result<Metadata, FilesError> {
    let mut magic = Vec::new();
    Read::by_ref(&mut bytes)
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|error| FilesError::unreadable(path, error))?;
    let compressed = magic == ZSTD_MAGIC;
    let whole = io::Cursor::new(magic).chain(bytes);
    if !compressed {
        return read_metadata(path, whole);
    }
    let decoder = zstd::stream::read::Decoder::new(whole)
        .map_err(|error| no_header(path, &error.to_string()))?;
    read_metadata(path, decoder)
}

/// The header of a stream. The decoder gets one that is whole: it makes room for as much as the
/// prelude says, be there so much or not.
fn read_metadata(path: &Path, mut reader: impl Read) -> Result<Metadata, FilesError> {
    let mut prelude = [0; PRELUDE_BYTES];
    reader
        .read_exact(&mut prelude)
        .map_err(|error| no_header(path, &error.to_string()))?;
    let [d, b, n, version, length @ ..] = prelude;
    let length = u32::from_le_bytes(length);
    if [d, b, n] != *b"DBN" || length > HEADER_BYTES_MAX {
        return Err(no_header(path, "it begins with something else"));
    }
    if version > VERSION_MAX {
        let message = format!("the file is DBN of version {version}");
        let help = "this version of the program reads DBN up to version 3";
        return Err(FilesError::refuse(path, message, help));
    }
    let mut header = prelude.to_vec();
    let read = reader.take(length.into()).read_to_end(&mut header);
    let read = read.map_err(|error| no_header(path, &error.to_string()))?;
    if read != usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(no_header(path, "it is cut"));
    }
    let metadata = MetadataDecoder::new(header.as_slice())
        .decode()
        .map_err(|error| no_header(path, &error.to_string()))?;
    if metadata.symbol_cstr_len == 0 {
        return Err(no_header(path, "its symbols have no length"));
    }
    Ok(metadata)
}

fn no_header(path: &Path, why: &str) -> FilesError {
    let message = format!("the file has no DBN header that could be read: {why}");
    let help =
        "a fragment can't prove what it holds: download the file again, or move it elsewhere";
    FilesError::refuse(path, message, help)
}
