//! What is known of an archived stream.

use serde::{Deserialize, Serialize};

use crate::time::Nanos;
use crate::vendor::{DayCondition, RangeRequest};

/// What is known of one archived stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The stream's name below the archive's root.
    pub key: String,
    /// Where it came from.
    pub origin: String,
    /// The request that it answers.
    pub request: RangeRequest,
    /// Bytes of its objects, compressed as received.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Uncompressed bytes of its records, which is what the vendor bills for a stream without cuts.
    pub billable_bytes: u64,
    /// SHA-256 over the bytes of its objects, in their order, in hexadecimal digits.
    pub sha256: String,
    /// Index time of the first record.
    pub first_index_time: Option<Nanos>,
    /// Index time of the last record.
    pub last_index_time: Option<Nanos>,
    /// When it was received.
    pub fetched_at: Nanos,
    /// What it was received in; nothing where that is one object of the name `key`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Which answer to the request it is, from 1.
    #[serde(default = "first_revision")]
    pub revision: u32,
    /// How good its days were at the vendor when it was asked for, of those of which that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<DayCondition>,
}

/// The bytes of one answer as they were received, perhaps cut inside a frame or record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The object's name below the archive's root.
    pub name: String,
    /// Bytes of the object.
    pub bytes: u64,
    /// SHA-256 of the object, in hexadecimal digits.
    pub sha256: String,
    /// Whole records in it.
    pub records: u64,
    /// How many of the first of them the parts before it have too.
    pub overlap: u64,
    /// Uncompressed bytes of its records, also of one that was cut: what the vendor billed.
    pub billable_bytes: u64,
    /// Index time of the first record.
    pub first_index_time: Option<Nanos>,
    /// Index time of the last whole record.
    pub last_index_time: Option<Nanos>,
}

/// What there is of a stream that is not whole: the next attempt goes on from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// Where it comes from.
    pub origin: String,
    /// The request.
    pub request: RangeRequest,
    /// Which answer to it.
    pub revision: u32,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
    /// Records of the last index time.
    pub tied: u64,
    /// Whether the last part ended where a stream can end.
    pub ended: bool,
    /// Answers in a row that ended well, too soon by the source's count, and brought nothing new.
    #[serde(default)]
    pub fruitless: u32,
    /// How good the days were when the first part was asked for.
    pub conditions: Vec<DayCondition>,
}

/// What the proof of a stream found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamFacts {
    /// Records in it.
    pub records: u64,
    /// Uncompressed bytes of its records.
    pub billable_bytes: u64,
    /// Index time of the first and the last record.
    pub index_times: Option<(Nanos, Nanos)>,
}

impl Manifest {
    /// The manifest in a document's bytes; `None` where there is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Its parts, also of a stream that is one object.
    #[must_use]
    pub fn all_parts(&self) -> Vec<Part> {
        if !self.parts.is_empty() {
            return self.parts.clone();
        }
        vec![Part {
            name: self.key.clone(),
            bytes: self.bytes,
            sha256: self.sha256.clone(),
            records: self.records,
            overlap: 0,
            billable_bytes: self.billable_bytes,
            first_index_time: self.first_index_time,
            last_index_time: self.last_index_time,
        }]
    }
}

impl Partial {
    /// The note in a document's bytes; `None` where there is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Records that are kept.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.parts.iter().map(Part::new_records).sum()
    }

    /// From when on to ask for the rest.
    #[must_use]
    pub fn resumes_at(&self) -> Nanos {
        let last = self.parts.last().and_then(|part| part.last_index_time);
        last.unwrap_or(self.request.span.start)
    }

    /// The request for the rest.
    #[must_use]
    pub fn rest(&self) -> RangeRequest {
        let mut rest = self.request.clone();
        rest.span.start = self.resumes_at();
        rest
    }

    /// Index time of the first record and the last.
    #[must_use]
    pub fn index_times(&self) -> Option<(Nanos, Nanos)> {
        let first = self.parts.first()?.first_index_time?;
        Some((first, self.parts.last()?.last_index_time?))
    }
}

impl Part {
    /// Records that the parts before it don't have.
    #[must_use]
    pub fn new_records(&self) -> u64 {
        self.records.saturating_sub(self.overlap)
    }
}

fn first_revision() -> u32 {
    1
}
