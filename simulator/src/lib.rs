//! A server of the vendor's historical market data API on localhost, good enough that the official
//! clients can't tell: for tests, and for those who have no account yet.
//!
//! It serves either synthetic history from a seed or a folder of DBN files, and goes wrong on
//! request in all the ways that the real service was seen to. See [`Simulator::start`] and
//! [`Fault`].
//!
//! Where the vendor's behaviour is not known, or the simulator is simpler:
//!
//! - A day without a session (a Saturday) is refused as unresolvable. A holiday is answered without
//!   records, and so is a day that a fault makes pending or missing.
//! - A parent symbol resolves under the raw symbols of its members, in `symbology.resolve` as in
//!   the header of a stream. `symbology.resolve` never refuses for want of a mapping; it says
//!   "Not found".
//! - Prices are for 10^9 bytes. Limits on the rate of requests exist as faults only.
//! - There is no batch family, and `map_symbols` is refused.

#[cfg(feature = "cli")]
pub mod arguments;
mod config;
mod error;
mod fault;
mod clock;
mod random;
mod simulator;
mod tls;
mod server;
mod requests;
mod authentication;
mod answer;
mod parameters;
mod refusal;
mod faults;
mod barrier;
mod endpoints;
mod query;
mod symbology;
mod history;
mod synthetic;
mod recorded;
mod records;
mod stream;

pub use crate::{
    config::{Config, DEMO_KEY},
    error::Error,
    fault::{Fault, FaultError, FaultKind, Refused, Shape},
    recorded::Skipped,
    requests::RequestLog,
    simulator::Simulator,
};
