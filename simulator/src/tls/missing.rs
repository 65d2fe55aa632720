//! The refusal of HTTPS in a build without it.

use std::{io, path::Path};

use crate::{error::Error, server::connection::Connection};

/// There is no TLS in this build, and so no value of this type.
#[derive(Clone)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn new(_folder: &Path) -> Result<Self, Error> {
        Err(Error::NoTls)
    }

    pub(crate) async fn accept(&self, connection: Connection) -> io::Result<Connection> {
        Ok(connection)
    }
}
