//! The archive: every stream that was received whole, as the vendor sent it, with its manifest.
//!
//! An object counts only once its manifest is there, and the manifest is written last: data is
//! written under a temporary name, synced and renamed; then the manifest, the same way. Killed at
//! any instant, the archive holds whole objects and leftovers that [`Archive::sweep`] removes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::configuration::document::Refusal;
use crate::time::Nanos;
use crate::vendor::RangeRequest;

/// A folder of received streams.
#[derive(Clone, Debug)]
pub struct Archive {
    root: PathBuf,
    /// Where the streams come from: a simulation's answer to a request is not the vendor's.
    origin: String,
}

/// What is known of one archived stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The object's name below the archive's root.
    pub key: String,
    /// Where it came from.
    pub origin: String,
    /// The request that it answers.
    pub request: RangeRequest,
    /// Bytes of the object, compressed as received.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Uncompressed bytes of its records, which is what the vendor bills.
    pub billable_bytes: u64,
    /// SHA-256 of the object, in hexadecimal digits.
    pub sha256: String,
    /// Index time of the first record.
    pub first_index_time: Option<Nanos>,
    /// Index time of the last record.
    pub last_index_time: Option<Nanos>,
    /// When it was received.
    pub fetched_at: Nanos,
}

impl Manifest {
    /// The manifest in a file's bytes; `None` where there is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What the proof of a stream found, for its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// Records in it.
    pub records: u64,
    /// Uncompressed bytes of its records.
    pub billable_bytes: u64,
    /// Index time of the first and the last record.
    pub index_times: Option<(Nanos, Nanos)>,
}

impl Archive {
    /// The archive at an address such as `file://data/archive`, of streams from one origin.
    ///
    /// # Errors
    /// [`Refusal`] when this version can't use the address.
    pub fn open(url: &str, origin: &str) -> Result<Self, Refusal> {
        match url.strip_prefix("file://") {
            Some(path) if !path.is_empty() => Ok(Self {
                root: path.into(),
                origin: origin.to_owned(),
            }),
            _ => Err(Refusal::of(
                "ARCHIVE_URL",
                "this version archives to a local folder alone",
                "write for example file://data/archive",
            )),
        }
    }

    /// The same archive for the streams of another origin; `None` is this one's.
    #[must_use]
    pub fn of_origin(&self, origin: Option<String>) -> Self {
        Self {
            root: self.root.clone(),
            origin: origin.unwrap_or_else(|| self.origin.clone()),
        }
    }

    /// Makes sure that the folder can be written, and removes what killed processes left in it.
    /// A part that is being received is locked by whoever receives it, and stays.
    ///
    /// # Errors
    /// [`Refusal`] when the folder can't be used.
    pub fn sweep(&self) -> Result<(), Refusal> {
        let parts = self.root.join("parts");
        sweep_parts(&parts).map_err(|error| {
            let message = format!("{} can't be written: {error}", parts.display());
            let help = "name a folder that this user can write, with room for the streams";
            Refusal::of("ARCHIVE_URL", message, help)
        })
    }

    /// The archived answer to a request, when there is one and it has its full length.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn find(&self, request: &RangeRequest) -> io::Result<Option<Manifest>> {
        let found = self.manifest(&self.key(request))?;
        Ok(found.filter(|manifest| manifest.request == *request && manifest.origin == self.origin))
    }

    /// The archived object of this name, when it has its full length.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn manifest(&self, key: &str) -> io::Result<Option<Manifest>> {
        let text = match fs::read(self.manifest_path(key)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(manifest) = Manifest::read(&text) else {
            return Ok(None);
        };
        let length = fs::metadata(self.root.join(key))
            .map(|file| file.len())
            .ok();
        Ok((manifest.key == key && length == Some(manifest.bytes)).then_some(manifest))
    }

    /// Begins an object; nothing of it can be found before [`Part::finish`].
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn begin(&self, request: &RangeRequest, unique: &str) -> io::Result<Part> {
        let key = self.key(request);
        let folder = self.root.join("parts");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.{unique}", key.replace('/', "_")));
        let file = File::create(&path)?;
        file.lock()?;
        Ok(Part {
            archive: self.clone(),
            request: request.clone(),
            key,
            file,
            path,
            sha256: Sha256::new(),
            bytes: 0,
        })
    }

    /// Opens an archived object's bytes.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn read(&self, manifest: &Manifest) -> io::Result<File> {
        File::open(self.root.join(&manifest.key))
    }

    /// Forgets an object that turned out damaged, so that it is fetched again.
    ///
    /// # Errors
    /// When the manifest can't be removed.
    pub fn forget(&self, manifest: &Manifest) -> io::Result<()> {
        match fs::remove_file(self.manifest_path(&manifest.key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// `GLBX.MDP3/trades/2024-01-02_2024-01-03/<hash of origin and request>.dbn.zst`
    fn key(&self, request: &RangeRequest) -> String {
        let mut hash = Sha256::new();
        hash.update(self.origin.as_bytes());
        hash.update([0]);
        hash.update(request.canonical().as_bytes());
        format!(
            "{}/{}/{}_{}/{}.dbn.zst",
            plain(&request.dataset),
            plain(&request.schema),
            request.span.start.day(),
            request.span.end.day(),
            &crate::hex(&hash.finalize())[..32]
        )
    }

    fn manifest_path(&self, key: &str) -> PathBuf {
        self.root.join(format!("{key}.json"))
    }
}

/// An object that is being received. Dropped, it is removed.
#[derive(Debug)]
pub struct Part {
    archive: Archive,
    request: RangeRequest,
    key: String,
    file: File,
    path: PathBuf,
    sha256: Sha256,
    bytes: u64,
}

impl Part {
    /// Appends received bytes.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    /// Makes the object durable and findable.
    ///
    /// # Errors
    /// When it can't be written; the object is not findable then.
    pub fn finish(mut self, facts: StreamFacts, now: Nanos) -> io::Result<Manifest> {
        let manifest = Manifest {
            key: self.key.clone(),
            origin: self.archive.origin.clone(),
            request: self.request.clone(),
            bytes: self.bytes,
            records: facts.records,
            billable_bytes: facts.billable_bytes,
            sha256: crate::hex(&std::mem::take(&mut self.sha256).finalize()),
            first_index_time: facts.index_times.map(|(first, _)| first),
            last_index_time: facts.index_times.map(|(_, last)| last),
            fetched_at: now,
        };
        self.file.sync_all()?;
        let object = self.archive.root.join(&self.key);
        rename_durably(&self.archive.root, &self.path, &object)?;
        // Under a name of its own, like the object: another may be receiving the same request.
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".json");
        let temporary = PathBuf::from(temporary);
        let mut file = File::create(&temporary)?;
        file.write_all(serde_json::to_string_pretty(&manifest)?.as_bytes())?;
        file.sync_all()?;
        rename_durably(
            &self.archive.root,
            &temporary,
            &self.archive.manifest_path(&self.key),
        )?;
        Ok(manifest)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `finish` there is nothing left under this name; a leftover is swept later.
        let _removed = fs::remove_file(&self.path);
    }
}

fn sweep_parts(parts: &Path) -> io::Result<()> {
    fs::create_dir_all(parts)?;
    let probe = parts.join("probe");
    File::create(&probe)?;
    fs::remove_file(&probe)?;
    for entry in fs::read_dir(parts)? {
        let path = entry?.path();
        // Locks end with their process.
        if File::open(&path)?.try_lock().is_ok() {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// A name of a folder or file: one step, never up or to the root.
fn plain(text: &str) -> String {
    match text {
        "" => "_".to_owned(),
        text => text.replace(['/', '\\'], "_").replace("..", "_"),
    }
}

/// Renames within the archive's root so that a power cut does not undo it: a folder that was made
/// on the way lasts only once the folder around it is synced too.
fn rename_durably(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(root);
    let made = !folder.is_dir();
    fs::create_dir_all(folder)?;
    fs::rename(from, to)?;
    for around in folder.ancestors() {
        File::open(around)?.sync_all()?;
        if !made || around == root {
            break;
        }
    }
    Ok(())
}
