//! The kinds of faults, how often each strikes, and how often each did.

use std::collections::BTreeMap;
use std::fmt;

use simulator::FaultKind;

use super::random::Random;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    WorkerKilled,
    WorkerFrozen,
    PostgresKilled,
    PostgresCut,
    CopyCut,
    RedisRestarted,
    RedisFlushed,
    RedisCut,
    MessagesRepeated,
    Vendor(FaultKind),
}

impl Kind {
    pub fn all() -> Vec<Self> {
        let vendors = VENDORS.map(Self::Vendor);
        OURS.iter().map(|(kind, _)| *kind).chain(vendors).collect()
    }

    /// One at random: the cheap ones often, the dear ones seldom.
    pub fn draw(random: &mut Random) -> Self {
        let sum: u64 = OURS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = random.below(sum + VENDORS_WEIGHT);
        for (kind, weight) in OURS {
            if drawn < weight {
                return kind;
            }
            drawn -= weight;
        }
        Self::Vendor(VENDORS[random.index(VENDORS.len())])
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkerKilled => formatter.write_str("worker killed"),
            Self::WorkerFrozen => formatter.write_str("worker frozen past its lease"),
            Self::PostgresKilled => formatter.write_str("PostgreSQL killed"),
            Self::PostgresCut => formatter.write_str("all connections to PostgreSQL cut"),
            Self::CopyCut => formatter.write_str("connection cut in the middle of a COPY"),
            Self::RedisRestarted => formatter.write_str("Redis killed, empty when it came back"),
            Self::RedisFlushed => formatter.write_str("Redis flushed"),
            Self::RedisCut => formatter.write_str("all connections to Redis cut"),
            Self::MessagesRepeated => formatter.write_str("messages delivered several times"),
            Self::Vendor(kind) => write!(formatter, "vendor: {kind}"),
        }
    }
}

/// Those of our own servers and processes, each with its weight.
const OURS: [(Kind, u64); 9] = [
    (Kind::WorkerKilled, 14),
    (Kind::WorkerFrozen, 7),
    (Kind::PostgresKilled, 5),
    (Kind::PostgresCut, 9),
    (Kind::CopyCut, 16),
    (Kind::RedisRestarted, 2),
    (Kind::RedisFlushed, 2),
    (Kind::RedisCut, 5),
    (Kind::MessagesRepeated, 16),
];

const VENDORS_WEIGHT: u64 = 24;

/// The vendor's. Not those after which a fleet rightly waits for people, as a refused key, nor those
/// that change what there is, nor a late answer, which a stall is too.
const VENDORS: [FaultKind; 12] = [
    FaultKind::RateLimit,
    FaultKind::ServerErrorText,
    FaultKind::ServerErrorHtml,
    FaultKind::Reset,
    FaultKind::ShortLength,
    FaultKind::CutInFrame,
    FaultKind::CutAtFrame,
    FaultKind::CutInRecord,
    FaultKind::EmptyBody,
    FaultKind::MetadataOnly,
    FaultKind::Stall,
    FaultKind::Corrupt,
];

/// How often each kind struck.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn count(&mut self, kind: Kind) {
        *self.0.entry(kind.to_string()).or_default() += 1;
    }

    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind.to_string()).copied().unwrap_or_default()
    }

    pub fn take_back(&mut self, kind: Kind) {
        if let Some(count) = self.0.get_mut(&kind.to_string()) {
            *count -= 1;
        }
    }

    pub fn sum(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn each(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(kind, count)| (kind.as_str(), *count))
    }
}
