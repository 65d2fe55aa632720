//! What the database, the vendor and the workers each say of the work that was done.

use simulator::RequestLog;
use testkit::scrape::Scrape;

use crate::fleet::Fleet;

/// Work that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub chunks: u64,
    pub rows: u64,
    /// Uncompressed bytes of records: what the vendor bills.
    pub bytes: u64,
    /// Billionths of a dollar. A stream's price is a share of its quote, which is rounded up.
    pub settled: u64,
}

impl Ledger {
    /// By the tables.
    pub fn of(fleet: &Fleet) -> Self {
        let number = |sql: &str| fleet.postgres.psql(sql).trim().parse().unwrap();
        let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
        assert_eq!(number(open), 0, "nothing stays set aside");
        Self {
            chunks: number("SELECT count(*) FROM chunks WHERE state IN ('done', 'empty')"),
            rows: number(
                "SELECT (SELECT count(*) FROM trades_data) + (SELECT count(*) FROM mbp_1_data)",
            ),
            bytes: number("SELECT sum(bytes_received) FROM chunks"),
            settled: number("SELECT sum(settled_nanousd) FROM spend"),
        }
    }

    /// By what a worker tells.
    pub fn told_by(scrape: &Scrape) -> Self {
        let sum = |name: &str, labels: &[(&str, &str)]| {
            let sum = scrape.sum(name, labels).unwrap_or_default();
            format!("{sum:.0}").parse().unwrap()
        };
        assert_eq!(sum("backhaul_leases_lost_total", &[]), 0);
        Self {
            chunks: sum("backhaul_chunks_settled_total", &[]),
            rows: sum("backhaul_rows_total", &[("outcome", "loaded")]),
            bytes: sum("backhaul_bytes_received_total", &[]),
            settled: sum("backhaul_spend_nanousd_total", &[("kind", "settled")]),
        }
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            chunks: self.chunks + other.chunks,
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
            settled: self.settled + other.settled,
        }
    }
}

/// How many streams were asked for.
pub fn streams(requests: &[RequestLog]) -> usize {
    let streams = requests.iter().filter(|of| of.path.ends_with("get_range"));
    streams.count()
}

/// Uncompressed bytes of records that the vendor sent, and bills.
pub fn billed(requests: &[RequestLog]) -> u64 {
    requests.iter().map(|request| request.bytes).sum()
}
