//! The proof of a file: read whole, once, it ends where a file can end and holds what its header says.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dbn::Metadata;
use sha2::{Digest, Sha256};

use super::delivery::Delivery;
use super::error::FilesError;
use super::header::DataFile;
use crate::dbn_stream::{DbnStream, Sink, open_compressed};
use crate::time::{Day, Nanos};

const READ_BYTES: usize = 64 * 1024;
/// Where a record's instrument stands in it.
const INSTRUMENT_ID: std::ops::Range<usize> = 4..8;

/// What reading a file whole found.
#[derive(Debug)]
pub struct Facts {
    /// Records by UTC day and instrument.
    pub counts: HashMap<Day, HashMap<u32, u64>>,
    /// The least index time; `None` where there is no record.
    pub start: Option<Nanos>,
    /// Whether no record's index time lies before that of the one before it.
    pub in_order: bool,
}

/// The facts of a delivery's file; it is read for them once.
///
/// # Errors
/// [`FilesError::Refused`] when the file is not whole.
pub async fn facts(delivery: &Delivery, file: &Arc<DataFile>) -> Result<Arc<Facts>, FilesError> {
    let facts = file.facts.get_or_try_init(|| async {
        let last = delivery.last_instant(file);
        let read = Arc::clone(file);
        let waited_for = Waited::default();
        let stopped = Arc::clone(&waited_for.gone);
        let proven = tokio::task::spawn_blocking(move || prove(&read, last, &stopped)).await;
        drop(waited_for);
        let facts = proven.map_err(|error| FilesError::Panic(error.to_string()))??;
        delivery.accounts_for(file, &facts)?;
        Ok(Arc::new(facts))
    });
    facts.await.cloned()
}

/// Whoever waits for a file that is read: once it is gone, the reading ends.
#[derive(Default)]
struct Waited {
    gone: Arc<AtomicBool>,
}

impl Drop for Waited {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn prove(file: &DataFile, last: Nanos, stopped: &AtomicBool) -> Result<Facts, FilesError> {
    tracing::debug!(file = file.name, "a file is read whole");
    file.unchanged()?;
    if let Some(listed) = &file.listed_sha256
        && *listed != sha256(&file.path, stopped)?
    {
        let message = "the file's SHA-256 is not the one in manifest.json: it is damaged";
        return Err(FilesError::refuse(
            &file.path,
            message,
            "download the file again",
        ));
    }
    let damaged = |error| FilesError::damaged(&file.path, &error);
    let mut stream = DbnStream::new(file.schema).map_err(damaged)?;
    let mut counting = Counting::new(file.span().start, last);
    let mut reader = compressed_bytes(file)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        go_on(stopped)?;
        let read = read(file, &mut reader, &mut buffer)?;
        if read == 0 {
            break;
        }
        stream
            .push(&buffer[..read], &mut counting)
            .map_err(damaged)?;
        if let Some(time) = counting.outside {
            return Err(outside(file, time));
        }
    }
    stream.finish().map_err(damaged)?;
    file.unchanged()?;
    Ok(counting.facts())
}

fn outside(file: &DataFile, time: Nanos) -> FilesError {
    let message = format!(
        "a record of {time} lies outside of what the file's header says: {}",
        file.span()
    );
    FilesError::refuse(&file.path, message, "download the file again")
}

/// The file's bytes as a compressed stream.
///
/// # Errors
/// [`FilesError::Unreadable`].
pub fn compressed_bytes(file: &DataFile) -> Result<Box<dyn Read + Send>, FilesError> {
    open_compressed(&file.path).map_err(|error| FilesError::unreadable(&file.path, error))
}

/// Reads on; `Ok(0)` is the end.
///
/// # Errors
/// [`FilesError::Unreadable`].
pub fn read(
    file: &DataFile,
    reader: &mut impl Read,
    buffer: &mut [u8],
) -> Result<usize, FilesError> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map_err(|error| FilesError::unreadable(&file.path, error)),
        }
    }
}

/// The instrument that a record is of.
pub fn instrument_of(record: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    if let Some(id) = record.get(INSTRUMENT_ID) {
        bytes.copy_from_slice(id);
    }
    u32::from_le_bytes(bytes)
}

fn go_on(stopped: &AtomicBool) -> Result<(), FilesError> {
    match stopped.load(Ordering::Relaxed) {
        true => Err(FilesError::Stopped),
        false => Ok(()),
    }
}

fn sha256(path: &Path, stopped: &AtomicBool) -> Result<String, FilesError> {
    let unreadable = |error| FilesError::unreadable(path, error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        go_on(stopped)?;
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(crate::hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Counts records by day and instrument.
struct Counting {
    /// The first and the last instant that a record can have.
    first: Nanos,
    last: Nanos,
    counts: HashMap<Day, HashMap<u32, u64>>,
    day: Option<Day>,
    of_day: HashMap<u32, u64>,
    previous: Nanos,
    start: Option<Nanos>,
    in_order: bool,
    outside: Option<Nanos>,
}

impl Counting {
    fn new(first: Nanos, last: Nanos) -> Self {
        Self {
            first,
            last,
            counts: HashMap::new(),
            day: None,
            of_day: HashMap::new(),
            previous: Nanos(i64::MIN),
            start: None,
            in_order: true,
            outside: None,
        }
    }

    fn turn_to(&mut self, day: Option<Day>) {
        if let Some(before) = self.day {
            let counted = std::mem::take(&mut self.of_day);
            self.counts.insert(before, counted);
        }
        self.day = day;
        self.of_day = day
            .and_then(|day| self.counts.remove(&day))
            .unwrap_or_default();
    }

    fn facts(mut self) -> Facts {
        self.turn_to(None);
        Facts {
            counts: self.counts,
            start: self.start,
            in_order: self.in_order,
        }
    }
}

impl Sink for Counting {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        if index_time < self.first || index_time > self.last {
            self.outside.get_or_insert(index_time);
        }
        self.in_order &= self.previous <= index_time;
        self.previous = index_time;
        self.start = Some(self.start.map_or(index_time, |start| start.min(index_time)));
        let day = index_time.day();
        if self.day != Some(day) {
            self.turn_to(Some(day));
        }
        *self.of_day.entry(instrument_of(record)).or_default() += 1;
    }
}
