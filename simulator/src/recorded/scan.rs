//! One reading of a file: is it DBN of one schema, and what does it hold of which instrument and
//! day?

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use dbn::{
    Metadata, Record, Schema, VersionUpgradePolicy,
    decode::{DbnDecoder, DbnMetadata, DecodeRecordRef},
};

use crate::{
    clock::{Day, Nanos},
    error::Error,
    records::record_size,
};

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const DBN_MAGIC: &[u8] = b"DBN";

/// Records of a file, old versions upgraded.
pub(crate) type Records = DbnDecoder<Box<dyn Read + Send>>;

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) metadata: Metadata,
    pub(crate) schema: Schema,
    pub(crate) counts: HashMap<(Day, u32), u64>,
}

/// Every file under a folder, sorted by path.
///
/// # Errors
/// A folder that can't be listed.
pub(crate) fn dbn_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Data { path, source }
    };
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a file, compressed or not.
pub(crate) fn open(path: &Path) -> io::Result<Result<Records, String>> {
    let mut reader = BufReader::new(File::open(path)?);
    let start = reader.fill_buf()?;
    let reader: Box<dyn Read + Send> = if start.starts_with(&ZSTD_MAGIC) {
        Box::new(WholeFrames(zstd::stream::read::Decoder::with_buffer(
            reader,
        )?))
    } else if start.starts_with(DBN_MAGIC) {
        Box::new(reader)
    } else {
        return Ok(Err("it is not DBN".to_owned()));
    };
    Ok(
        DbnDecoder::with_upgrade_policy(reader, VersionUpgradePolicy::UpgradeToV3)
            .map_err(|error| format!("it is not DBN, or has no metadata: {error}")),
    )
}

/// Tells a frame that ends too early from the end of a file, which decoders of DBN don't.
struct WholeFrames<R>(R);

impl<R: Read> Read for WholeFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("a zstd frame is incomplete"),
            _ => error,
        })
    }
}

/// Reads a file through; the error says why it can't be served.
pub(crate) fn scan(path: &Path) -> Result<Scanned, String> {
    let mut records = open(path).map_err(|error| error.to_string())??;
    let mut metadata = records.metadata().clone();
    metadata.upgrade(VersionUpgradePolicy::UpgradeToV3);
    let schema = metadata
        .schema
        .ok_or("it has no single schema, like a live capture")?;
    if metadata.ts_out {
        return Err("its records carry ts_out".to_owned());
    }
    let size = record_size(schema);
    let mut counts = HashMap::new();
    while let Some(record) = records
        .decode_record_ref()
        .map_err(|error| error.to_string())?
    {
        if record.record_size() != size {
            return Err(format!(
                "a record of {} bytes is no {schema}",
                record.record_size()
            ));
        }
        let id = u32::try_from(record.instrument_id())
            .map_err(|_| "an instrument id exceeds 32 bits")?;
        *counts
            .entry((Nanos(record.raw_index_ts()).day(), id))
            .or_insert(0) += 1;
    }
    Ok(Scanned {
        metadata,
        schema,
        counts,
    })
}
