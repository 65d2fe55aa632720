//! How a simulator is set up.

use std::{net::SocketAddr, path::PathBuf};

use crate::fault::Fault;

/// A key that every simulator accepts that isn't given one of its own.
pub const DEMO_KEY: &str = "db-simulator00000000000000000000";

/// How a simulator is set up. The default serves synthetic history on a free port of 127.0.0.1 over
/// HTTP.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 is any free one. Default 127.0.0.1:0.
    pub listen: SocketAddr,
    /// Serve HTTPS, and write the certificate for localhost to `cert.pem` in this folder. Default
    /// HTTP.
    pub tls_dir: Option<PathBuf>,
    /// Serve the DBN files under this folder. Default synthetic history.
    pub data: Option<PathBuf>,
    /// The seed of the synthetic history and of the faults. Default 1.
    pub seed: u64,
    /// Trades of the busiest contract on a full day of the synthetic history. Default 20,000.
    pub trades_per_day: u32,
    /// Strikes listed on each of the synthetic front contracts, with a call and a put each: what
    /// makes definitions of ALL_SYMBOLS many. At most 5,000. Default 150, which is about 8,500
    /// instruments a day.
    pub strikes: u32,
    /// The end of the synthetic history, `YYYY-MM-DD`, exclusive. Default today, UTC.
    pub available_end: Option<String>,
    /// The only key that is accepted. Default any of 32 ASCII characters that begins with `db-`.
    pub key: Option<String>,
    /// Faults in force from the start.
    pub faults: Vec<Fault>,
    /// Requests that the log keeps at most; the oldest are forgotten. Default 1,000,000.
    pub requests_kept: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls_dir: None,
            data: None,
            seed: 1,
            trades_per_day: 20_000,
            strikes: 150,
            available_end: None,
            key: None,
            faults: Vec::new(),
            requests_kept: 1_000_000,
        }
    }
}

const _: () = assert!(DEMO_KEY.len() == 32);
