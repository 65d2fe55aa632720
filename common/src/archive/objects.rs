//! The archive's verbs as they are carried out, on threads that may block.

use std::io::{self, Write};
use std::sync::Arc;

use dbn::Schema;
use sha2::{Digest, Sha256};

use super::joined::{self, JoinError};
use super::manifest::{Manifest, Part, Partial, StreamFacts};
use super::storage::{Storage, Stored, Writing, get};
use super::stream::{OBJECT, StreamName, manifest_name};
use super::tail::Tail;
use crate::dbn_stream::Sink;
use crate::time::Nanos;
use crate::vendor::RangeRequest;

/// An archive as a thread that may block uses it.
#[derive(Clone, Debug)]
pub struct Objects {
    storage: Arc<dyn Storage>,
    /// Where the streams come from: a simulation's answer to a request is not the vendor's.
    origin: String,
}

/// Bytes that are there and that no document names: whoever wrote them was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The object's name.
    pub name: String,
    /// From when on it answers the request, after other parts; `None` for a first part.
    pub from: Option<Nanos>,
}

impl Objects {
    pub(super) fn new(storage: Arc<dyn Storage>, origin: String) -> Self {
        Self { storage, origin }
    }

    pub(super) fn of_origin(&self, origin: Option<String>) -> Self {
        let origin = origin.unwrap_or_else(|| self.origin.clone());
        Self::new(Arc::clone(&self.storage), origin)
    }

    /// Where the objects are.
    #[must_use]
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// The names of a request's stream of some revision.
    #[must_use]
    pub fn stream(&self, request: &RangeRequest, revision: u32) -> StreamName {
        StreamName::new(&self.origin, request, revision)
    }

    /// The newest whole answer to a request, of this revision at least.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn find(&self, request: &RangeRequest, at_least: u32) -> io::Result<Option<Manifest>> {
        let stream = self.stream(request, 1);
        let stored = self.storage.list(&stream.all_revisions())?;
        let revisions = stored.iter().filter_map(|it| stream.revision_of(&it.name));
        let mut revisions: Vec<_> = revisions.filter(|number| *number >= at_least).collect();
        revisions.sort_unstable_by(|one, other| other.cmp(one));
        for revision in revisions {
            let key = self.stream(request, revision).key();
            let found = self.manifest_among(&key, &stored)?;
            if let Some(manifest) = found
                && manifest.request == *request
                && manifest.origin == self.origin
                && manifest.revision == revision
            {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    /// The archived stream of this name, when all of it has its full length.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn manifest(&self, key: &str) -> io::Result<Option<Manifest>> {
        let prefix = key.strip_suffix(OBJECT).unwrap_or(key);
        self.manifest_among(key, &self.storage.list(&format!("{prefix}."))?)
    }

    fn manifest_among(&self, key: &str, stored: &[Stored]) -> io::Result<Option<Manifest>> {
        let Some(text) = get(self.storage(), &manifest_name(key))? else {
            return Ok(None);
        };
        let Some(manifest) = Manifest::read(&text) else {
            return Ok(None);
        };
        let whole = manifest.key == key && all_there(&manifest.all_parts(), stored);
        Ok(whole.then_some(manifest))
    }

    /// What there is of a stream that is not whole.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn partial(&self, stream: &StreamName) -> io::Result<Partial> {
        let nothing = Partial {
            origin: self.origin.clone(),
            request: stream.request.clone(),
            revision: stream.revision,
            parts: Vec::new(),
            tied: 0,
            ended: false,
            fruitless: 0,
            conditions: Vec::new(),
        };
        let text = get(self.storage(), &stream.partial())?;
        let read = text.and_then(|text| Partial::read(&text));
        let stored = self.storage.list(&stream.all_revisions())?;
        let ours = read.filter(|partial| {
            (&partial.origin, &partial.request, partial.revision)
                == (&self.origin, &stream.request, stream.revision)
                && all_there(&partial.parts, &stored)
        });
        Ok(ours.unwrap_or(nothing))
    }

    /// Objects of a stream that nothing names, as killed processes leave them behind.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn orphans(&self, stream: &StreamName, partial: &Partial) -> io::Result<Vec<Orphan>> {
        let prefix = stream.all_revisions();
        self.storage.recover(&prefix)?;
        let stored = self.storage.list(&prefix)?;
        let named = |name: &str| partial.parts.iter().any(|part| part.name == name);
        let orphans = stored.into_iter().filter_map(|it| {
            let from = match it.name == stream.key() {
                true => None,
                false => Some(stream.part_from(&it.name)?),
            };
            let name = it.name;
            (!named(&name)).then_some(Orphan { name, from })
        });
        Ok(orphans.collect())
    }

    /// Opens an orphan's bytes.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn open(&self, orphan: &Orphan) -> io::Result<Box<dyn io::Read + Send>> {
        self.storage.open(&orphan.name)
    }

    /// Removes an orphan that is of no use.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(&self, orphan: &Orphan) -> io::Result<()> {
        self.storage.delete(&orphan.name)
    }

    /// Begins the object of the answer to what was asked after these parts; nothing of it can be
    /// found before [`Receipt::keep`]. `unique` tells attempts apart.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn begin(
        &self,
        stream: &StreamName,
        partial: &Partial,
        unique: &str,
    ) -> io::Result<Receipt> {
        let name = match partial.parts.is_empty() {
            true => stream.key(),
            false => stream.part(partial.resumes_at(), unique),
        };
        Ok(Receipt {
            writing: Some(self.storage.begin(&name)?),
            name,
            sha256: Sha256::new(),
            bytes: 0,
        })
    }

    /// Notes the parts that there are, for the next attempt.
    ///
    /// # Errors
    /// When the note can't be written.
    pub fn keep(&self, stream: &StreamName, partial: &Partial) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(partial)?;
        self.storage.put(&stream.partial(), &text)
    }

    /// Whether nobody else has gone on with the stream since its parts were these.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn is_ours(&self, stream: &StreamName, before: &Partial) -> io::Result<bool> {
        let now = self.partial(stream)?;
        Ok(now.parts == before.parts && self.manifest(&stream.key())?.is_none())
    }

    /// Forgets the parts that there are: the next attempt begins anew.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn forget_parts(&self, stream: &StreamName, partial: &Partial) -> io::Result<()> {
        // Another has made a whole stream of them meanwhile.
        if self.manifest(&stream.key())?.is_some() {
            return Ok(());
        }
        self.storage.delete(&stream.partial())?;
        let mut parts = partial.parts.iter();
        parts.try_for_each(|part| self.storage.delete(&part.name))
    }

    /// Makes a whole stream of the parts, and what they are known by. The proof that it is whole is
    /// the caller's; that earlier parts are still what was received is looked at here.
    ///
    /// # Errors
    /// [`JoinError::Damaged`] when they aren't; [`JoinError::Archive`].
    pub fn finish(
        &self,
        stream: &StreamName,
        partial: Partial,
        now: Nanos,
    ) -> Result<Manifest, JoinError> {
        let key = stream.key();
        // Of two that bring the same, whoever comes second leaves the first's as it is.
        if let Some(manifest) = self.manifest(&key)? {
            return Ok(manifest);
        }
        let (bytes, sha256) = self.hash(&partial.parts)?;
        let records = partial.records();
        let record_bytes = partial.parts.last().map_or(0, |part| {
            part.billable_bytes
                .checked_div(part.records)
                .unwrap_or_default()
        });
        let index_times = partial.index_times();
        let manifest = Manifest {
            bytes,
            records,
            billable_bytes: records.saturating_mul(record_bytes),
            sha256,
            first_index_time: index_times.map(|(first, _)| first),
            last_index_time: index_times.map(|(_, last)| last),
            fetched_at: now,
            revision: stream.revision,
            conditions: partial.conditions,
            parts: match &partial.parts[..] {
                [part] if part.name == key => Vec::new(),
                _ => partial.parts,
            },
            key,
            origin: partial.origin,
            request: partial.request,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from)?;
        self.storage.put(&manifest_name(&manifest.key), &text)?;
        self.storage.delete(&stream.partial())?;
        Ok(manifest)
    }

    /// Bytes and SHA-256 over all parts in their order. One alone was hashed as it was received.
    pub(super) fn hash(&self, parts: &[Part]) -> Result<(u64, String), JoinError> {
        if let [part] = parts {
            return Ok((part.bytes, part.sha256.clone()));
        }
        let mut whole = Sha256::new();
        for part in parts {
            let alone = joined::Hashing {
                reader: self.storage.open(&part.name)?,
                sha256: Sha256::new(),
            };
            let mut both = joined::Hashing {
                reader: alone,
                sha256: whole,
            };
            io::copy(&mut both, &mut io::sink())?;
            whole = both.sha256;
            if crate::hex(&both.reader.sha256.finalize()) != part.sha256 {
                let what = "a part of it is not what was received";
                return Err(JoinError::Damaged(what.to_owned()));
            }
        }
        let bytes = parts.iter().map(|part| part.bytes).sum();
        Ok((bytes, crate::hex(&whole.finalize())))
    }

    /// Forgets a stream that turned out damaged, so that it is fetched again.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn forget(&self, manifest: &Manifest) -> io::Result<()> {
        self.storage.delete(&manifest_name(&manifest.key))?;
        let parts = manifest.all_parts();
        parts
            .iter()
            .try_for_each(|part| self.storage.delete(&part.name))
    }

    /// Reads an archived stream to its end, through all its parts, and proves on the way that each
    /// is what was archived.
    ///
    /// # Errors
    /// [`JoinError`]; what came out until then is not to be trusted.
    pub fn read(
        &self,
        manifest: &Manifest,
        schema: Schema,
        sink: &mut impl Sink,
    ) -> Result<StreamFacts, JoinError> {
        joined::read(self.storage(), &manifest.all_parts(), schema, true, sink)
    }

    /// The kept records of the last index time.
    #[must_use]
    pub fn tail(&self, partial: &Partial, schema: Schema) -> Tail {
        Tail::open(Arc::clone(&self.storage), partial, schema)
    }
}

fn all_there(parts: &[Part], stored: &[Stored]) -> bool {
    parts.iter().all(|part| {
        let found = stored.iter().find(|stored| stored.name == part.name);
        found.is_some_and(|stored| stored.bytes == part.bytes)
    })
}

/// An answer that is being received. Dropped, it is removed.
#[derive(Debug)]
pub struct Receipt {
    writing: Option<Box<dyn Writing>>,
    name: String,
    sha256: Sha256,
    bytes: u64,
}

impl Receipt {
    /// An object that is there already, of which the bytes are only counted and hashed.
    #[must_use]
    pub fn of(orphan: &Orphan) -> Self {
        Self {
            writing: None,
            name: orphan.name.clone(),
            sha256: Sha256::new(),
            bytes: 0,
        }
    }

    /// Appends received bytes.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(writing) = &mut self.writing {
            writing.write_all(bytes)?;
        }
        self.sha256.update(bytes);
        self.bytes += crate::as_u64(bytes.len());
        Ok(())
    }

    /// Makes the object durable, and says what is in it: `facts` of its records, of which the first
    /// `overlap` are in the parts before it.
    ///
    /// # Errors
    /// When it can't be written, or is there already.
    pub fn keep(self, facts: StreamFacts, overlap: u64) -> io::Result<Part> {
        if let Some(writing) = self.writing {
            writing.finish()?;
        }
        Ok(Part {
            name: self.name,
            bytes: self.bytes,
            sha256: crate::hex(&self.sha256.finalize()),
            records: facts.records,
            overlap,
            billable_bytes: facts.billable_bytes,
            first_index_time: facts.index_times.map(|(first, _)| first),
            last_index_time: facts.index_times.map(|(_, last)| last),
        })
    }
}
