//! A private Prometheus for a test: on a free port, in a temporary folder, gone at the end.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use crate::attended::{Attended, Manners};
use crate::installed;
use crate::port::Port;
use crate::processes::run;

const MANNERS: Manners = Manners {
    ready: "Server is ready to receive web requests",
    // What it keeps goes with its folder.
    stop: "KILL",
};

/// A private server.
#[derive(Debug)]
pub struct Prometheus {
    /// Before the folder: it ends first.
    _server: Attended,
    port: Port,
    _folder: TempDir,
}

impl Prometheus {
    /// A running server that scrapes and reckons as a configuration says, made for its own address;
    /// `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed server can't be started with it.
    #[must_use]
    pub fn start(configuration: impl FnOnce(SocketAddr) -> String) -> Option<Self> {
        if let Err(missing) = installed::prometheus() {
            println!("skipped: {missing}");
            return None;
        }
        let port = Port::claim();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration(port.address()))
            .expect("a file in the temporary folder can be written");
        let mut server = Command::new("prometheus");
        server
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--web.listen-address={}", port.address()))
            .arg(format!("--storage.tsdb.path={}", folder.path().display()));
        let server = Attended::launch(&server, folder.path(), MANNERS)
            .unwrap_or_else(|log| panic!("Prometheus can't be started: {log}"));
        Some(Self {
            _server: server,
            port,
            _folder: folder,
        })
    }

    /// What an expression comes to now, as Prometheus' own tool prints it: JSON.
    ///
    /// # Panics
    /// When it is wrong, or the server is down.
    #[must_use]
    pub fn answer(&self, expression: &str) -> String {
        let mut asked = Command::new("promtool");
        asked.args(["query", "instant", "--format=json"]);
        asked.args([&format!("http://{}", self.port.address()), expression]);
        String::from_utf8(run(&mut asked).stdout).expect("Prometheus speaks UTF-8")
    }
}
