//! The report: what went wrong, what is in the tables, and what the vendor was asked for.

use std::fmt;
use std::time::Duration;

use simulator::RequestLog;

use super::comparison::Compared;
use super::faults::Tally;

/// What a run under fire came to.
pub struct Report {
    pub seed: u64,
    pub burned: Duration,
    pub drained: Duration,
    pub undisturbed: Duration,
    pub faults: Tally,
    /// Workers that ended by themselves at their start, for want of a server.
    pub false_starts: u64,
    pub chunks: usize,
    /// The most failures that a chunk counted.
    pub failures_max: String,
    pub asked: Asked,
    pub asked_undisturbed: Asked,
    pub tables: Vec<Compared>,
}

/// What the vendor was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    requests: u64,
    streams: u64,
    /// Uncompressed bytes of records, which is what it bills.
    bytes: u64,
}

impl Asked {
    pub fn by(requests: &[RequestLog]) -> Self {
        let streams = requests.iter().filter(|of| of.path.ends_with("get_range"));
        Self {
            requests: u64::try_from(requests.len()).unwrap(),
            streams: u64::try_from(streams.count()).unwrap(),
            bytes: requests.iter().map(|request| request.bytes).sum(),
        }
    }
}

impl Report {
    /// Nothing is lost, nothing is there twice, and every table is as it should be.
    pub fn check(&self) {
        for (table, _, difference) in &self.tables {
            assert!(difference.is_none(), "{table}: {difference:?}\n{self}");
        }
        assert!(self.rows() > 0, "{self}");
    }

    fn rows(&self) -> u64 {
        self.market(|difference| difference.found.rows)
    }

    fn market(&self, count: fn(&testkit::checksum::Difference) -> u64) -> u64 {
        let market = self.tables.iter().filter(|(_, is_market, _)| *is_market);
        market.map(|(_, _, difference)| count(difference)).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "seed {}", self.seed)?;
        for (kind, count) in self.faults.each() {
            writeln!(out, "{count:>8}  {kind}")?;
        }
        writeln!(
            out,
            "{:>8}  faults in {:.1} s; done {:.1} s after the last, {:.1} s undisturbed",
            self.faults.sum(),
            self.burned.as_secs_f64(),
            self.drained.as_secs_f64(),
            self.undisturbed.as_secs_f64(),
        )?;
        writeln!(
            out,
            "{:>8}  workers found no server at their start",
            self.false_starts
        )?;
        writeln!(out, "{:>8}  chunks", self.chunks)?;
        writeln!(
            out,
            "{:>8}  failures of a chunk at most",
            self.failures_max.trim()
        )?;
        writeln!(out, "{:>8}  rows in market tables", self.rows())?;
        writeln!(out, "{:>8}  lost", self.market(|found| found.lost))?;
        writeln!(out, "{:>8}  doubled", self.market(|found| found.doubled))?;
        writeln!(out, "{:>8}  foreign", self.market(|found| found.foreign))?;
        for (table, _, difference) in &self.tables {
            let same = if difference.is_none() {
                "same"
            } else {
                "OTHER"
            };
            let (rows, sum) = (difference.found.rows, &difference.found.sha256[..16]);
            writeln!(out, "{rows:>8}  {same} {sum} {table}")?;
        }
        writeln!(out, "the vendor was asked for: {}", self.asked)?;
        write!(out, "undisturbed:              {}", self.asked_undisturbed)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} requests, {} of them streams, {} bytes of records",
            self.requests, self.streams, self.bytes
        )
    }
}
