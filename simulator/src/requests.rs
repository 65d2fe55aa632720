//! The log of requests, by which a test adds up what the vendor would have billed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::fault::FaultKind;

/// One request and what became of it. While a stream runs, its `bytes` and `records` grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLog {
    /// Such as `/v0/timeseries.get_range`.
    pub path: String,
    /// The parameters as they arrived, decoded, from query and form alike.
    pub params: BTreeMap<String, String>,
    /// The HTTP status; 0 until the answer begins.
    pub status: u16,
    /// Uncompressed bytes of the records put on the wire: what the vendor bills. 0 for anything but
    /// a stream.
    pub bytes: u64,
    /// Records put on the wire.
    pub records: u64,
    /// The fault that struck.
    pub fault: Option<String>,
}

/// The requests so far.
#[derive(Debug)]
pub(crate) struct Requests {
    entries: Mutex<VecDeque<Entry>>,
    kept_max: usize,
}

/// A request of which the end is still to be seen.
#[derive(Debug, Clone)]
pub(crate) struct Entry(Arc<Mutex<Kept>>);

/// A request as it is kept, smaller than it is told: planning asks a million times.
#[derive(Debug)]
struct Kept {
    path: Box<str>,
    /// Form-encoded.
    params: Box<str>,
    status: u16,
    bytes: u64,
    records: u64,
    fault: Option<FaultKind>,
}

impl Kept {
    fn told(&self) -> RequestLog {
        let params = form_urlencoded::parse(self.params.as_bytes())
            .into_owned()
            .collect();
        RequestLog {
            path: self.path.to_string(),
            params,
            status: self.status,
            bytes: self.bytes,
            records: self.records,
            fault: self.fault.map(|fault| fault.to_string()),
        }
    }
}

impl Requests {
    pub(crate) fn new(kept_max: usize) -> Self {
        Self {
            entries: Mutex::new(VecDeque::new()),
            kept_max,
        }
    }

    pub(crate) fn begin(&self, path: &str, params: &BTreeMap<String, String>) -> Entry {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(params);
        let entry = Entry(Arc::new(Mutex::new(Kept {
            path: path.into(),
            params: encoded.finish().into(),
            status: 0,
            bytes: 0,
            records: 0,
            fault: None,
        })));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.kept_max {
            entries.pop_front();
        }
        entries.push_back(entry.clone());
        entry
    }

    pub(crate) fn all(&self) -> Vec<RequestLog> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|entry| entry.lock().told()).collect()
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_status(&self, status: u16) {
        self.lock().status = status;
    }

    pub(crate) fn set_fault(&self, fault: FaultKind) {
        self.lock().fault = Some(fault);
    }

    /// Counts records that went out.
    pub(crate) fn add(&self, bytes: u64, records: u64) {
        let mut log = self.lock();
        log.bytes += bytes;
        log.records += records;
    }
}
