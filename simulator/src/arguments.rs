//! The arguments of the command line, as typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;

use crate::{Config, Fault};

/// Something unexpected.
pub const EXIT_UNEXPECTED: u8 = 1;
/// Bad input.
pub const EXIT_BAD_INPUT: u8 = 2;

/// How the binary ends: each exit code, and what it means.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "told to stop, and stopped"),
    (EXIT_UNEXPECTED, "something unexpected"),
    (EXIT_BAD_INPUT, "bad input: the message says what is wrong"),
];

/// Serve the vendor's historical API on this machine: synthetic history, or a folder of DBN files.
///
/// Faults can also be had while it runs: POST /sim/faults {"kind": "cut-in-frame", "next": 5},
/// DELETE /sim/faults. What was asked of it: GET /sim/requests.
#[derive(Debug, Parser)]
#[command(name = "simulator", version)]
pub struct Arguments {
    /// Address to listen on; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Ask the simulator that listens there whether it answers, and serve nothing: exit code 0 or 1
    #[arg(long)]
    pub health_check: bool,
    /// Serve HTTPS, with a certificate for localhost written to cert.pem in this folder
    #[arg(long, value_name = "DIR")]
    pub tls_dir: Option<PathBuf>,
    /// Serve the DBN files under this folder instead of synthetic history
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Seed of the synthetic history and of the faults
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// Trades of the busiest contract on a full day of the synthetic history
    #[arg(long, default_value_t = 20_000, value_name = "NUMBER")]
    pub trades_per_day: u32,
    /// Strikes of which each synthetic front contract has options: how large the definitions of
    /// ALL_SYMBOLS are
    #[arg(long, default_value_t = 150, value_name = "NUMBER")]
    pub strikes: u32,
    /// End of the synthetic history, YYYY-MM-DD, exclusive [default: today]
    #[arg(long, value_name = "DATE")]
    pub available_end: Option<String>,
    /// The only key to accept [default: any well-formed one]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// A fault, such as cut-in-frame:next=5 or latency:probability=0.1,seconds=2 or
    /// pending:date=2024-01-02
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<Fault>,
}

impl Arguments {
    /// The simulator to ask, where nothing is to be served.
    #[must_use]
    pub fn to_ask(&self) -> Option<SocketAddr> {
        self.health_check.then_some(self.listen)
    }

    /// What was typed as a configuration.
    ///
    /// # Errors
    /// A message, where `--data` names no folder.
    pub fn into_config(self) -> Result<Config, String> {
        if let Some(data) = self.data.as_ref().filter(|data| !data.is_dir()) {
            return Err(format!(
                "there is no folder {}; --data takes a folder of DBN files",
                data.display()
            ));
        }
        Ok(Config {
            listen: self.listen,
            tls_dir: self.tls_dir,
            data: self.data,
            seed: self.seed,
            trades_per_day: self.trades_per_day,
            strikes: self.strikes,
            available_end: self.available_end,
            key: self.key,
            faults: self.faults,
            ..Config::default()
        })
    }
}
