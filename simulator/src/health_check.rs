//! Whether a simulator answers: what a container's health check asks, with nothing but this binary.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// What an answer over HTTP begins with, whatever it says.
const ANSWER: &[u8] = b"HTTP/1.";

/// Asks whoever listens at `listen` for a path that there isn't; any answer will do.
pub(crate) fn ask(listen: SocketAddr, patience: Duration) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&reachable(listen), patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.set_write_timeout(Some(patience))?;
    connection
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut beginning = [0; ANSWER.len()];
    connection.read_exact(&mut beginning)?;
    if beginning == ANSWER {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "what answers there is no simulator",
    ))
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
