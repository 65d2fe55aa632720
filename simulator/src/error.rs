//! What can keep a simulator from starting.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::fault::FaultError;

/// What can keep a simulator from starting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The folder of recorded data can't be listed.
    #[error("failed to read the data folder {}; give a folder of DBN files", path.display())]
    Data {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A fault of the configuration that makes no sense.
    #[error("failed to set up a fault")]
    Fault(#[from] FaultError),
    /// An end of the synthetic history that is no date.
    #[error("failed to read the available end `{0}`; give a date of the form YYYY-MM-DD")]
    AvailableEnd(String),
    /// No certificate could be made or written.
    #[error("failed to set up TLS in {}", path.display())]
    Tls {
        /// The folder for the certificate.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// HTTPS is asked of a build without it.
    #[error("failed to serve HTTPS: this build lacks the feature `tls`")]
    NoTls,
}
