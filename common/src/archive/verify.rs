//! Verify: an archived stream read again from its first byte to its last, against its manifest.

use std::fmt;
use std::io;

use dbn::Schema;

use super::joined::JoinError;
use super::manifest::Manifest;
use super::objects::Objects;
use super::storage::get;
use super::stream::{OBJECT, manifest_name};
use crate::dbn_stream::ProofOnly;
use crate::source::chain;
use crate::time::Nanos;

/// What is wrong with an archived stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is no manifest of this name.
    NoManifest,
    /// There is one, and nobody can read it.
    Unreadable,
    /// Its objects are not what was archived.
    Damaged(String),
    /// They are other than the manifest or the ledger says.
    Differs {
        /// What was compared.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoManifest => f.write_str("its manifest is missing"),
            Self::Unreadable => f.write_str("its manifest can't be read"),
            Self::Damaged(what) => f.write_str(what),
            Self::Differs {
                what,
                expected,
                found,
            } => write!(f, "{what}: expected {expected}, found {found}"),
        }
    }
}

impl Objects {
    /// Reads a stream of this name again, all of it; and what is wrong with it.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn verify(&self, key: &str) -> io::Result<Result<Manifest, Flaw>> {
        let Some(text) = get(self.storage(), &manifest_name(key))? else {
            return Ok(Err(Flaw::NoManifest));
        };
        let manifest = Manifest::read(&text);
        let manifest = manifest.filter(|manifest| manifest.key == key);
        let schema = manifest
            .as_ref()
            .and_then(|manifest| manifest.request.schema.parse::<Schema>().ok());
        let (Some(manifest), Some(schema)) = (manifest, schema) else {
            return Ok(Err(Flaw::Unreadable));
        };
        let facts = match self.read(&manifest, schema, &mut ProofOnly) {
            Ok(facts) => facts,
            Err(JoinError::Archive(error)) => return Err(error),
            Err(error) => return Ok(Err(Flaw::Damaged(chain(&error)))),
        };
        let (bytes, sha256) = match self.hash(&manifest.all_parts()) {
            Ok(hashed) => hashed,
            Err(JoinError::Archive(error)) => return Err(error),
            Err(error) => return Ok(Err(Flaw::Damaged(chain(&error)))),
        };
        let number = |number: u64| number.to_string();
        let time = |time: Option<Nanos>| time.map_or("none".to_owned(), |time| time.to_string());
        let (first, last) = facts.index_times.unzip();
        let mut compared = vec![
            ("bytes", number(manifest.bytes), number(bytes)),
            ("SHA-256", manifest.sha256.clone(), sha256),
            ("records", number(manifest.records), number(facts.records)),
            (
                "first index time",
                time(manifest.first_index_time),
                time(first),
            ),
            (
                "last index time",
                time(manifest.last_index_time),
                time(last),
            ),
        ];
        // What comes twice in the parts of a stream that was cut is billed twice.
        if manifest.parts.is_empty() {
            let billed = (manifest.billable_bytes, facts.billable_bytes);
            compared.push(("billable bytes", number(billed.0), number(billed.1)));
        }
        Ok(match differs(compared) {
            Some(flaw) => Err(flaw),
            None => Ok(manifest),
        })
    }

    /// Removes all that there is of a stream that something is wrong with.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove_stream(&self, key: &str) -> io::Result<()> {
        self.storage().delete(&manifest_name(key))?;
        let prefix = key.strip_suffix(OBJECT).unwrap_or(key);
        for stored in self.storage().list(&format!("{prefix}."))? {
            // Other revisions have longer prefixes.
            if super::stream::key_of(&stored.name).as_deref() == Some(key) {
                self.storage().delete(&stored.name)?;
            }
        }
        Ok(())
    }

    /// A stream's manifest, whatever its objects are like.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn read_manifest(&self, key: &str) -> io::Result<Option<Manifest>> {
        let text = get(self.storage(), &manifest_name(key))?;
        Ok(text.and_then(|text| Manifest::read(&text)))
    }

    /// Whether what is stored under a name is needed: for a stream of the name `key` that is not whole
    /// yet, or, of a whole one that is known, because its manifest names it.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn names(&self, key: &str, name: &str, known: bool) -> io::Result<bool> {
        let prefix = key.strip_suffix(OBJECT).unwrap_or(key);
        let partial = format!("{prefix}.partial.json");
        if name == partial || get(self.storage(), &partial)?.is_some() {
            return Ok(true);
        }
        let manifest = self.read_manifest(key)?.filter(|_| known);
        let parts = manifest.map_or(Vec::new(), |manifest| manifest.all_parts());
        Ok(parts.iter().any(|part| part.name == name))
    }
}

/// The first of these that differ: what, what it should be, what it is.
#[must_use]
pub fn differs(compared: impl IntoIterator<Item = (&'static str, String, String)>) -> Option<Flaw> {
    let mut compared = compared.into_iter();
    let (what, expected, found) = compared.find(|(_, expected, found)| expected != found)?;
    Some(Flaw::Differs {
        what,
        expected,
        found,
    })
}
