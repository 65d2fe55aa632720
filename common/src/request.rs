//! What a job asks for, checked: the first stage of the data's way.

use std::fmt;
use std::path::PathBuf;

use dbn::{SType, Schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::money::Usd;
use crate::quality::Quality;
use crate::time::DayRange;
use crate::vendor::RangeRequest;

/// The schemas that can be asked for, as the vendor names them.
pub const SCHEMAS: [Schema; 20] = [
    Schema::Trades,
    Schema::Tbbo,
    Schema::Mbp1,
    Schema::Mbp10,
    Schema::Mbo,
    Schema::Ohlcv1S,
    Schema::Ohlcv1M,
    Schema::Ohlcv1H,
    Schema::Ohlcv1D,
    Schema::OhlcvEod,
    Schema::Statistics,
    Schema::Definition,
    Schema::Status,
    Schema::Imbalance,
    Schema::Bbo1S,
    Schema::Bbo1M,
    Schema::Cmbp1,
    Schema::Cbbo1S,
    Schema::Cbbo1M,
    Schema::Tcbbo,
];

/// The most symbols that the vendor takes in one request.
pub const SYMBOLS_PER_REQUEST_MAX: usize = 2_000;

/// A checked request for market history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The job's name, for people.
    pub name: String,
    /// The vendor's dataset code, for example `GLBX.MDP3`.
    pub dataset: String,
    /// The record schemas, each once, in the order asked for.
    pub schemas: Vec<Schema>,
    /// The instruments.
    pub symbols: Symbols,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The UTC days.
    pub days: DayRange,
    /// How to cut the work.
    pub chunking: Chunking,
    /// Higher is worked on first.
    pub priority: i32,
    /// Never spend more than this on the job.
    pub max_cost: Option<Usd>,
    /// Which rules apply, and how much may be quarantined.
    pub quality: Quality,
    /// Where the records come from.
    pub source: JobSource,
}

/// Where a job's records come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum JobSource {
    /// The vendor's service.
    #[default]
    Vendor,
    /// A folder of DBN files, by its absolute path.
    Files(PathBuf),
}

/// Which instruments a request names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Symbols {
    /// These, sorted, each once.
    Named(Vec<String>),
    /// Every instrument of the dataset.
    All(AllSymbols),
}

/// The vendor's word for every instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AllSymbols {
    /// `ALL_SYMBOLS`.
    #[serde(rename = "ALL_SYMBOLS")]
    AllSymbols,
}

impl Symbols {
    /// Every instrument of the dataset.
    pub const ALL: Self = Self::All(AllSymbols::AllSymbols);

    /// Named symbols, sorted, each once.
    #[must_use]
    pub fn named(mut symbols: Vec<String>) -> Self {
        symbols.sort_unstable();
        symbols.dedup();
        Self::Named(symbols)
    }

    /// The same symbols in groups of at most `most`.
    pub fn groups(&self, most: usize) -> impl Iterator<Item = Self> {
        let groups = match self {
            Self::All(_) => vec![self.clone()],
            Self::Named(names) => {
                let groups = names.chunks(most.max(1));
                groups.map(|group| Self::Named(group.to_vec())).collect()
            }
        };
        groups.into_iter()
    }

    /// The names, or `None` for every instrument.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Self::Named(names) => Some(names),
            Self::All(_) => None,
        }
    }
}

impl fmt::Display for Symbols {
    /// As the vendor's parameter: a list with commas, or `ALL_SYMBOLS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) => f.write_str("ALL_SYMBOLS"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

/// How to cut a request into chunks. Cuts fall on UTC midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    /// How long a chunk is.
    pub length: ChunkLength,
    /// The most symbols in one chunk.
    pub symbols_max: usize,
}

/// How long a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkLength {
    /// As many days as hold about this many records by the vendor's count, at least one day.
    Records(u64),
    /// This many days.
    Days(u32),
}

impl Default for Chunking {
    fn default() -> Self {
        Self {
            length: ChunkLength::Records(1_000_000),
            symbols_max: SYMBOLS_PER_REQUEST_MAX,
        }
    }
}

impl Request {
    /// What makes two submissions the same job: what is asked for, not how it is cut, when it is
    /// worked on, what it may cost, or which rules apply.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let asked = self.spec().to_string();
        let digest = Sha256::digest(asked.as_bytes());
        crate::hex(&digest)
    }

    /// What to ask the source for these of its symbols and days.
    #[must_use]
    pub fn range_request(&self, schema: Schema, symbols: &Symbols, days: DayRange) -> RangeRequest {
        RangeRequest::new(&self.dataset, schema, self.stype_in, symbols, days)
    }

    /// What is asked for, as JSON.
    #[must_use]
    pub fn spec(&self) -> serde_json::Value {
        let schemas: Vec<_> = self.schemas.iter().map(Schema::as_str).collect();
        let mut spec = serde_json::json!({
            "name": self.name,
            "dataset": self.dataset,
            "schemas": schemas,
            "symbols": self.symbols,
            "stype_in": self.stype_in.as_str(),
            "start": self.days.start(),
            "end": self.days.end(),
        });
        if let JobSource::Files(folder) = &self.source {
            spec["folder"] = folder.display().to_string().into();
        }
        spec
    }
}
