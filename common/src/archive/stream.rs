//! A stream's names: one answer to one request, in one revision.

use sha2::{Digest, Sha256};

use crate::time::Nanos;
use crate::vendor::RangeRequest;

/// What an object's name ends with.
pub(super) const OBJECT: &str = ".dbn.zst";
/// Digits of a hash in a name.
const HASH_DIGITS: usize = 32;
/// Digits by which parts from the same time are told apart.
const UNIQUE_DIGITS: usize = 12;

/// One revision of the answer to a request: what is fetched as one, whatever number of parts it
/// comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamName {
    /// The request.
    pub request: RangeRequest,
    /// Which answer to it, from 1: the vendor rewrites its history.
    pub revision: u32,
    /// `GLBX.MDP3/trades/2024-01-02_2024-01-03/<hash of origin and request>`
    stem: String,
}

impl StreamName {
    pub(super) fn new(origin: &str, request: &RangeRequest, revision: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(origin.as_bytes());
        hash.update([0]);
        hash.update(request.canonical().as_bytes());
        let stem = format!(
            "{}/{}/{}_{}/{}",
            plain(&request.dataset),
            plain(&request.schema),
            request.span.start.day(),
            request.span.end.day(),
            &crate::hex(&hash.finalize())[..HASH_DIGITS]
        );
        Self {
            request: request.clone(),
            revision,
            stem,
        }
    }

    /// The name that the whole is known by; also that of its first part's object.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{OBJECT}", self.prefix())
    }

    /// What the names of all revisions begin with.
    pub(super) fn all_revisions(&self) -> String {
        format!("{}.", self.stem)
    }

    /// The number of the revision that has a manifest of this name.
    pub(super) fn revision_of(&self, manifest: &str) -> Option<u32> {
        let middle = manifest.strip_prefix(&self.stem)?;
        match middle.strip_suffix(&format!("{OBJECT}.json"))? {
            "" => Some(1),
            revision => revision.strip_prefix(".r")?.parse().ok(),
        }
    }

    /// The document of what there is of a stream that is not whole.
    pub(super) fn partial(&self) -> String {
        format!("{}.partial.json", self.prefix())
    }

    /// The object of the answer to what was asked from a time on, after other parts.
    pub(super) fn part(&self, from: Nanos, unique: &str) -> String {
        let unique = crate::hex(&Sha256::digest(unique.as_bytes()));
        let unique = &unique[..UNIQUE_DIGITS];
        format!("{}.{}-{unique}{OBJECT}", self.prefix(), from.0)
    }

    /// From when on an object of this name was asked for, after other parts.
    pub(super) fn part_from(&self, object: &str) -> Option<Nanos> {
        let middle = object.strip_prefix(&self.prefix())?.strip_prefix('.')?;
        let (from, _) = middle.strip_suffix(OBJECT)?.rsplit_once('-')?;
        from.parse().ok().map(Nanos)
    }

    fn prefix(&self) -> String {
        match self.revision {
            1 => self.stem.clone(),
            revision => format!("{}.r{revision}", self.stem),
        }
    }
}

/// The manifest of a whole stream.
pub(super) fn manifest_name(key: &str) -> String {
    format!("{key}.json")
}

/// The name of the stream that an object or document is of, by its own name: whole or not, known or
/// not. `None` for a name that no archive gives.
#[must_use]
pub fn key_of(name: &str) -> Option<String> {
    if let Some(prefix) = name.strip_suffix(".partial.json") {
        return Some(format!("{prefix}{OBJECT}"));
    }
    let object = name.strip_suffix(".json").unwrap_or(name);
    let prefix = object.strip_suffix(OBJECT)?;
    // A later part has its time and its attempt in its name.
    let part = prefix.rsplit_once('.').filter(|(_, part)| {
        part.rsplit_once('-').is_some_and(|(from, unique)| {
            from.parse::<i64>().is_ok() && unique.len() == UNIQUE_DIGITS
        })
    });
    let prefix = part.map_or(prefix, |(before, _)| before);
    Some(format!("{prefix}{OBJECT}"))
}

/// Which answer to its request a stream of this name is.
#[must_use]
pub fn revision_of(key: &str) -> u32 {
    let prefix = key.strip_suffix(OBJECT).unwrap_or(key);
    let revision = prefix
        .rsplit_once(".r")
        .and_then(|(_, number)| number.parse().ok());
    revision.unwrap_or(1)
}

/// A name of a folder or file: one step, never up or to the root.
fn plain(text: &str) -> String {
    match text {
        "" => "_".to_owned(),
        text => text.replace(['/', '\\'], "_").replace("..", "_"),
    }
}
