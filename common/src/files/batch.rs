//! What a batch download brings beside its files: the list of them, its request, its conditions.

use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use dbn::{SType, Schema};
use serde::Deserialize;
use serde_json::Value;

use super::error::FilesError;
use super::folder::{Listing, is_dbn};
use super::written::{day, instant, symbols};
use crate::request::Symbols;
use crate::time::{DayRange, Span};

/// Bytes of a list that is read; a year of all options' symbology is far smaller.
const LIST_BYTES_MAX: u64 = 1 << 30;
/// What to do with a batch download that can't be read.
const AGAIN: &str = "download the batch again, all of it";
/// What lies in a batch download beside its data.
const LISTS: [&str; 4] = [
    "manifest.json",
    "metadata.json",
    "symbology.json",
    "condition.json",
];

/// A batch download's list of its files.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    job_id: Option<String>,
    files: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    filename: String,
    size: u64,
    #[serde(default)]
    hash: Option<String>,
}

/// What a batch download was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: Symbols,
    /// Index time.
    pub span: Span,
    /// Whether only so many records were asked for.
    pub limited: bool,
}

impl Manifest {
    /// The list in a folder, where there is one; each DBN file on it is there, with its size.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when one is not.
    pub fn beside(listing: &Listing) -> Result<Option<Self>, FilesError> {
        let Some(path) = listing.beside("manifest.json") else {
            return Ok(None);
        };
        let manifest = Self::parse(&path, &read(&path)?)?;
        for listed in &manifest.files {
            let file = listing.folder.join(&listed.filename);
            if !is_dbn(&file) {
                continue;
            }
            let of_batch = || match &manifest.job_id {
                Some(id) => format!("manifest.json of the batch {id}"),
                None => "manifest.json".to_owned(),
            };
            if !listing.files.contains(&file) {
                let message = format!("the file is missing, and {} lists it", of_batch());
                return Err(FilesError::refuse(&file, message, "download the file too"));
            }
            if let Some(hash) = &listed.hash
                && digest(hash).is_none()
            {
                let message = format!("the SHA-256 of {} can't be read", listed.filename);
                return Err(FilesError::refuse(&path, message, AGAIN));
            }
            let bytes = fs::metadata(&file)
                .map_err(|error| FilesError::unreadable(&file, error))?
                .len();
            if bytes != listed.size {
                let message = format!(
                    "the file has {bytes} bytes where {} says {}",
                    of_batch(),
                    listed.size
                );
                return Err(FilesError::refuse(
                    &file,
                    message,
                    "download the file again",
                ));
            }
        }
        Ok(Some(manifest))
    }

    /// The list in a file's bytes.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when it can't be read.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, FilesError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let message = format!("the list of a batch download's files can't be read: {error}");
            FilesError::refuse(path, message, AGAIN)
        })
    }

    /// The SHA-256 that the list gives a file.
    pub fn sha256(&self, file: &Path) -> Option<String> {
        let listed = self.find(file)?;
        digest(listed.hash.as_deref()?)
    }

    /// Whether the file is on the list.
    pub fn lists(&self, file: &Path) -> bool {
        self.find(file).is_some()
    }

    fn find(&self, file: &Path) -> Option<&Listed> {
        let name = file.file_name()?;
        self.files
            .iter()
            .find(|listed| name == listed.filename.as_str())
    }

    /// Whether all of its data is DBN: what came as text is not looked at.
    pub fn is_all_dbn(&self) -> bool {
        let known = |listed: &Listed| {
            LISTS.contains(&listed.filename.as_str()) || is_dbn(Path::new(&listed.filename))
        };
        self.files.iter().all(known)
    }
}

impl Query {
    /// The request of the batch download in a folder, where it came as DBN.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when it can't be read, or is another batch's.
    pub fn beside(listing: &Listing, manifest: &Manifest) -> Result<Option<Self>, FilesError> {
        let Some(path) = listing.beside("metadata.json") else {
            return Ok(None);
        };
        Self::parse(&path, &read(&path)?, manifest)
    }

    /// The request in a file's bytes, where it is one for DBN.
    ///
    /// # Errors
    /// As [`Self::beside`].
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        manifest: &Manifest,
    ) -> Result<Option<Self>, FilesError> {
        let refuse = |message: &str| {
            let help = "download the batch again, all of it, into a folder of its own";
            FilesError::refuse(path, message, help)
        };
        let document: Value = serde_json::from_slice(bytes).map_err(|error| {
            let message = format!("the request of a batch download can't be read: {error}");
            refuse(&message)
        })?;
        let job_id = document.get("job_id").and_then(Value::as_str);
        if let (Some(id), Some(listed)) = (job_id, manifest.job_id.as_deref())
            && id != listed
        {
            let message =
                format!("it is of the batch {id}, and manifest.json of the batch {listed}");
            return Err(refuse(&message));
        }
        let query = document.get("query");
        let encoding = query.and_then(|query| query.get("encoding")?.as_str());
        if encoding.is_some_and(|encoding| encoding != "dbn") {
            return Ok(None);
        }
        match query.and_then(Self::read) {
            Some(query) => Ok(Some(query)),
            None => Err(refuse("it doesn't say what the batch was asked for")),
        }
    }

    fn read(query: &Value) -> Option<Self> {
        let text = |key: &str| query.get(key)?.as_str();
        let span = Span {
            start: instant(query.get("start")?)?,
            end: instant(query.get("end")?)?,
        };
        Some(Self {
            dataset: text("dataset")?.to_owned(),
            schema: text("schema")?.parse().ok()?,
            stype_in: text("stype_in").map_or(Some(SType::RawSymbol), |text| text.parse().ok())?,
            symbols: symbols(query.get("symbols")?)?,
            span: (span.start < span.end).then_some(span)?,
            limited: query.get("limit").is_some_and(|limit| !limit.is_null()),
        })
    }
}

/// A hash as a batch's list writes it: `sha256:` and 64 hexadecimal digits.
fn digest(written: &str) -> Option<String> {
    let digits = written.strip_prefix("sha256:")?;
    let is_digest = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_digest.then(|| digits.to_ascii_lowercase())
}

/// The days that the vendor had not published whole when a batch was made, by its condition.json.
///
/// # Errors
/// [`FilesError::Refused`] when it can't be read.
pub fn pending_days(listing: &Listing) -> Result<Vec<Span>, FilesError> {
    let Some(path) = listing.beside("condition.json") else {
        return Ok(Vec::new());
    };
    pending_in(&path, &read(&path)?)
}

/// The pending days in a list of conditions.
///
/// # Errors
/// As [`pending_days`].
pub fn pending_in(path: &Path, bytes: &[u8]) -> Result<Vec<Span>, FilesError> {
    let written: Vec<Condition> = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("the conditions can't be read: {error}");
        FilesError::refuse(path, message, AGAIN)
    })?;
    let pending = written.iter().filter(|day| day.condition == "pending");
    let days = pending.filter_map(|each| {
        let day = day(each.date)?;
        Some(DayRange::new(day, day.plus(1))?.span())
    });
    Ok(days.collect())
}

#[derive(Deserialize)]
struct Condition {
    date: NaiveDate,
    condition: String,
}

/// A list's bytes.
///
/// # Errors
/// [`FilesError`] when it can't be read.
pub fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    let unreadable = |error| FilesError::unreadable(path, error);
    if fs::metadata(path).map_err(unreadable)?.len() > LIST_BYTES_MAX {
        let message = "the file is too large for what its name says";
        return Err(FilesError::refuse(path, message, "move it elsewhere"));
    }
    fs::read(path).map_err(unreadable)
}
