//! A private `PostgreSQL` server for a test: on a free port, in a temporary folder, gone at the end.

mod data_folder;
mod programs;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use self::programs::Programs;
use crate::attended::{Attended, Manners};
use crate::installed::{self, POSTGRES_USER};
use crate::port::Port;
use crate::processes::run;

const MANNERS: Manners = Manners {
    ready: "database system is ready to accept connections",
    // An immediate shutdown, which may wait for a client that is just connecting.
    stop: "QUIT",
};

/// What makes a server quick to start, and its tests alike. What is committed outlives `kill`
/// without `fsync` too: the system keeps what was written, and nothing kills the system.
const SETTINGS: [(&str, &str); 7] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
    ("shared_buffers", "16MB"),
    ("max_connections", "100"),
];

/// Times that another port is tried, should a stranger take the one that was free.
const STARTS_MAX: u32 = 3;

/// A private server.
#[derive(Debug)]
pub struct Postgres {
    /// Absent while it is down. Before the folder: it ends first.
    server: Option<Attended>,
    port: Port,
    programs: Programs,
    settings: Vec<(String, String)>,
    databases: AtomicU32,
    folder: TempDir,
}

impl Postgres {
    /// A running server with an empty database, or `None` with a printed line where none is
    /// installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with settings as in `postgresql.conf`, which go before those of the tests.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn start_with(settings: &[(&str, &str)]) -> Option<Self> {
        let programs = match installed::postgres() {
            Ok(folder) => Programs::new(folder),
            Err(missing) => {
                println!("skipped: {missing}");
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        data_folder::make(&programs, folder.path());
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut server = Self {
            server: None,
            port: Port::claim(),
            programs,
            settings: SETTINGS.iter().chain(settings).map(owned).collect(),
            databases: AtomicU32::new(0),
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
        panic!("PostgreSQL can't be started: {log}");
    }

    /// The address of its first database, as its superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(POSTGRES_USER)
    }

    /// Where it listens: what a proxy stands in front of.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The address of a new database without tables.
    ///
    /// # Panics
    /// When the server is down.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("fresh_{number}");
        let _ = self.psql(&format!("CREATE DATABASE {name};"));
        self.url_of(&name)
    }

    /// What the client prints for a script in its first database: a line a row, values between
    /// `|`.
    ///
    /// # Panics
    /// When the script fails.
    #[must_use]
    pub fn psql(&self, script: &str) -> String {
        self.psql_at(&self.url(), script)
    }

    /// The same in the database at an address, which may be a proxy's.
    ///
    /// # Panics
    /// When the script fails.
    #[must_use]
    pub fn psql_at(&self, url: &str, script: &str) -> String {
        let mut file = tempfile::NamedTempFile::new_in(self.folder.path())
            .expect("a file in the temporary folder can be made");
        file.write_all(script.as_bytes())
            .expect("a file in the temporary folder can be written");
        let mut psql = Command::new(self.programs.path("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"])
            .args(["-d", url, "-f"])
            .arg(file.path());
        String::from_utf8(run(&mut psql).stdout).expect("the database speaks UTF-8")
    }

    /// Ends it and all its sessions without a warning, as a crash of its machine would.
    pub fn kill(&mut self) {
        if self.server.take().is_some() {
            self.forget_shared_memory();
        }
    }

    /// Starts it again, on its port and data, after it was killed or by killing it now, and waits
    /// until it has recovered.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(log) = self.launch() {
            panic!("PostgreSQL can't be started again: {log}");
        }
    }

    /// What it has said since it was last started.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.as_ref().map(Attended::log).unwrap_or_default()
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut server = self.programs.command("postgres");
        server.arg("-D").arg(self.data());
        server.args(["-p", &self.port.number().to_string()]);
        for (name, value) in &self.settings {
            server.args(["-c", &format!("{name}={value}")]);
        }
        self.server = Some(Attended::launch(&server, self.folder.path(), MANNERS)?);
        Ok(())
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{POSTGRES_USER}@{}/{database}", self.address())
    }

    fn data(&self) -> PathBuf {
        data_folder::within(self.folder.path())
    }

    /// A killed server leaves a piece of shared memory behind, of which a system has a limited
    /// number; its identifier is the last word of the lock file's seventh line.
    fn forget_shared_memory(&self) {
        let lock = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let line = lock.lines().nth(6).unwrap_or_default();
        if let Some(identifier) = line.split_whitespace().last() {
            // Where this fails, the next start does it.
            let _ = Command::new("ipcrm").args(["-m", identifier]).output();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}
