//! A private Redis server for a test: on a free port, in a temporary folder, gone at the end.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Times that another port is tried: between the choice and the start somebody may take it.
const PORTS_TRIED_MAX: u32 = 20;

/// A private server that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Redis {
    /// A running server without data, or `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        if Command::new("redis-server")
            .arg("--version")
            .output()
            .is_err()
        {
            println!("skipped: no Redis server is installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for _ in 0..PORTS_TRIED_MAX {
            let port = free_port();
            if let Some(process) = launch(&folder, port) {
                return Some(Self {
                    folder,
                    port,
                    process,
                });
            }
        }
        panic!("a Redis server can't be started on any of {PORTS_TRIED_MAX} ports");
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it without a warning.
    ///
    /// # Panics
    /// When it can't be ended.
    pub fn kill(&mut self) {
        self.process.kill().expect("the server can be ended");
        self.process.wait().expect("the server ends");
    }

    /// Starts it again on its port, without data.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn restart(&mut self) {
        self.process = launch(&self.folder, self.port).expect("its port is still free");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            println!("the server could not be stopped: {error}");
        }
    }
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// The server once it takes connections; `None` when its port was taken meanwhile.
fn launch(folder: &TempDir, port: u16) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server can be started");
    let output = process.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    if lines.any(|line| line.contains("Ready to accept connections")) {
        // Read on, or the server would wait for its own log.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    process.wait().expect("the server ended");
    None
}
