//! Whether a process answers for itself: what a container's health check asks, with nothing but the
//! process's own binary.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long each step of an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the answer of a process that lives begins with.
const HEALTHY: &[u8] = b"HTTP/1.1 200 ";

/// Asks whoever listens at `listen` for `/healthz`.
///
/// # Errors
/// When nobody answers in time, or something else than that all is well.
pub fn ask(listen: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&reachable(listen), PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    connection
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut beginning = [0; HEALTHY.len()];
    connection.read_exact(&mut beginning)?;
    match beginning == *HEALTHY {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "what answers there isn't well, or another program",
        )),
    }
}

/// An address of every interface is no address to go to.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
