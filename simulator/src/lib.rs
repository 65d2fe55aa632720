//! A server of the vendor's historical market data API on localhost, good enough that the official
//! clients can't tell: for tests, and for those who have no account yet.
//!
//! It serves either synthetic history from a seed or a folder of DBN files, and goes wrong on
//! request in all the ways that the real service was seen to. See [`Simulator::start`].

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
    fault::{Fault, FaultError, FaultKind},
    recorded::Skipped,
    requests::RequestLog,
    simulator::Simulator,
};
