//! A private `PostgreSQL` server for a test: in a temporary folder, stopped and removed at the end.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The server refuses to run as root: it runs as this user then.
const UNPRIVILEGED: &str = "postgres";

/// A private server, reached through a socket in its folder.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    started_by_root: bool,
}

impl Postgres {
    /// A running server with an empty database, or `None` with a printed line where none is
    /// installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(programs) = installed() else {
            println!("skipped: no PostgreSQL server is installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let owner = std::fs::metadata(folder.path()).expect("the folder was just made");
        let started_by_root = owner.uid() == 0;
        if started_by_root && !knows_user() {
            println!("skipped: PostgreSQL can't run as root, and there is no user {UNPRIVILEGED}");
            return None;
        }
        if started_by_root {
            let mut chown = Command::new("chown");
            run(chown.arg(UNPRIVILEGED).arg(folder.path()));
        }
        let server = Self {
            folder,
            programs,
            started_by_root,
        };
        let data = server.data();
        let initdb = ["-A", "trust", "-U", UNPRIVILEGED, "-E", "UTF8", "--no-sync"];
        run(server
            .program("initdb")
            .args(initdb)
            .arg("-D")
            .arg(&data)
            .args(["--locale", "C"]));
        let options = format!(
            "-k {} -c listen_addresses='' -c fsync=off",
            server.folder.path().display()
        );
        run(server
            .program("pg_ctl")
            .args(["start", "--wait", "-D"])
            .arg(&data)
            .arg("-l")
            .arg(server.folder.path().join("log"))
            .args(["-o", &options]));
        Some(server)
    }

    /// What the client prints for a script: a line a row, values between `|`.
    ///
    /// # Panics
    /// When the script fails.
    #[must_use]
    pub fn psql(&self, script: &str) -> String {
        let path = self.folder.path().join("script.sql");
        std::fs::write(&path, script).expect("a file in the temporary folder can be written");
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", UNPRIVILEGED, "-d", "postgres", "-h"])
            .arg(self.folder.path())
            .arg("-f")
            .arg(path);
        let output = run(&mut psql);
        String::from_utf8(output.stdout).expect("the database speaks UTF-8")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        if !self.started_by_root {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED])
            .args(["--clear-groups", "--"])
            .arg(path)
            .current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--wait", "-m", "immediate", "-D"]);
        if let Err(error) = stop.arg(data).output() {
            println!("the server could not be stopped: {error}");
        }
    }
}

/// Where the newest installed server's programs are.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let mut folders: Vec<_> = versions
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.insert(0, PathBuf::from("/usr/local/bin"));
    let complete = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres", "psql"]
            .iter()
            .all(|program| folder.join(program).exists())
    };
    folders.into_iter().rev().find(complete)
}

fn knows_user() -> bool {
    let asked = Command::new("id").arg(UNPRIVILEGED).output();
    asked.is_ok_and(|answer| answer.status.success())
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    output
}
