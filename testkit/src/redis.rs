//! A private Redis server for a test: on a free port, in a temporary folder, gone at the end.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use crate::attended::{Attended, Manners};
use crate::installed;
use crate::port::Port;
use crate::processes::run;

const MANNERS: Manners = Manners {
    ready: "Ready to accept connections",
    // It keeps nothing.
    stop: "KILL",
};

/// Times that another port is tried, should a stranger take the one that was free.
const STARTS_MAX: u32 = 3;

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// A private server that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    /// Absent while it is down. Before the folder: it ends first.
    server: Option<Attended>,
    port: Port,
    /// Where it speaks TLS, if it does.
    tls: Option<Port>,
    folder: TempDir,
}

impl Redis {
    /// A running server without data, or `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_in(
            tempfile::tempdir().expect("a temporary folder can be made"),
            None,
        )
    }

    /// The same, which speaks TLS at another port: with a certificate and its key, in PEM.
    ///
    /// # Panics
    /// When an installed server can't be started, also because it was built without TLS.
    #[must_use]
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (name, text) in [(CERTIFICATE, certificate), (KEY, key)] {
            let written = std::fs::write(folder.path().join(name), text);
            written.expect("a file in the temporary folder can be written");
        }
        Self::start_in(folder, Some(Port::claim()))
    }

    fn start_in(folder: TempDir, tls: Option<Port>) -> Option<Self> {
        if let Err(missing) = installed::redis() {
            println!("skipped: {missing}");
            return None;
        }
        let mut server = Self {
            server: None,
            port: Port::claim(),
            tls,
            folder,
        };
        let mut log = String::new();
        for _ in 0..STARTS_MAX {
            match server.launch() {
                Ok(()) => return Some(server),
                Err(said) => log = said,
            }
            server.port = Port::claim();
        }
        panic!("Redis can't be started: {log}");
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Its address over TLS, by the name in its certificate.
    ///
    /// # Panics
    /// When it wasn't started with a certificate.
    #[must_use]
    pub fn url_over_tls(&self) -> String {
        let port = self.tls.as_ref().expect("it has a certificate");
        format!("rediss://localhost:{}", port.number())
    }

    /// Where it listens: what a proxy stands in front of.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// What the client prints for a command: a line a value. An error is printed too.
    ///
    /// # Panics
    /// When the server is down.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client
            .args(["-h", "127.0.0.1", "-p", &self.port.number().to_string()])
            .args(arguments);
        String::from_utf8_lossy(&run(&mut client).stdout).into_owned()
    }

    /// How many commands it has done since its start, by clients and within scripts; asking is one
    /// more, which the next answer counts.
    ///
    /// # Panics
    /// When the server is down.
    #[must_use]
    pub fn commands_processed(&self) -> u64 {
        self.cli(&["info", "stats"])
            .lines()
            .find_map(|line| line.strip_prefix("total_commands_processed:"))
            .and_then(|count| count.trim().parse().ok())
            .expect("the server counts its commands")
    }

    /// Takes all its data away.
    ///
    /// # Panics
    /// When the server is down.
    pub fn flush_all(&self) {
        assert_eq!(self.cli(&["flushall"]).trim(), "OK", "it is emptied");
    }

    /// Ends it without a warning.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it again on its port, without data, after it was killed or by killing it now.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(log) = self.launch() {
            panic!("Redis can't be started again: {log}");
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut server = Command::new("redis-server");
        server
            .args(["--port", &self.port.number().to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        if let Some(tls) = &self.tls {
            let file = |name: &str| self.folder.path().join(name);
            server
                .args(["--tls-port", &tls.number().to_string()])
                .args(["--tls-auth-clients", "no", "--tls-cert-file"])
                .arg(file(CERTIFICATE))
                .arg("--tls-key-file")
                .arg(file(KEY));
        }
        self.server = Some(Attended::launch(&server, self.folder.path(), MANNERS)?);
        Ok(())
    }
}
