//! A port that stays a test's own, also while its server is down.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// Below the ports that systems give to outgoing connections: one of those could take the port of
/// a server that is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of this computer's own address.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Tests take the port of the same number for datagrams first. It goes back when their
    /// process ends, however it ends.
    _claim: UdpSocket,
}

impl Port {
    /// A port that nobody listens on and no other test has.
    ///
    /// # Panics
    /// When all are taken.
    pub fn claim() -> Self {
        let begin = std::process::id().wrapping_mul(61);
        (0..u32::from(COUNT))
            .map(|step| begin.wrapping_add(step) % u32::from(COUNT))
            .filter_map(|offset| Self::of(FIRST + u16::try_from(offset).ok()?))
            .next()
            .expect("one of thousands of ports is free")
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    fn of(number: u16) -> Option<Self> {
        let address = (Ipv4Addr::LOCALHOST, number);
        let claim = UdpSocket::bind(address).ok()?;
        TcpListener::bind(address).ok()?;
        Some(Self {
            number,
            _claim: claim,
        })
    }
}
