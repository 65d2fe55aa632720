//! An installation for a test: a private database and archive, a simulated vendor, the real binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::configuration::files::ConfigFiles;
use serde_json::Value;
use simulator::{Config, Fault, RequestLog, Simulator};
use testkit::checksum::TableSum;
use testkit::database::Database;
use testkit::engine::Engine;
use testkit::sandbox::{API_KEY, Sandbox};
use tokio::process::{Child, Command};

/// A private installation and its vendor.
pub struct Installation {
    pub sandbox: Sandbox,
    pub simulator: Simulator,
    pub database: Database,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Installation {
    /// With synthetic history of few trades.
    pub async fn synthetic() -> Self {
        Self::synthetic_on(&Engine::Sqlite).await
    }

    /// The same on an engine.
    pub async fn synthetic_on(engine: &Engine) -> Self {
        let config = Config {
            trades_per_day: 300,
            strikes: 2,
            ..Config::default()
        };
        Self::with_on(engine, config).await
    }

    /// With the history in a folder of DBN files.
    pub async fn recorded(folder: PathBuf) -> Self {
        Self::with(Config {
            data: Some(folder),
            ..Config::default()
        })
        .await
    }

    pub async fn with(config: Config) -> Self {
        Self::with_on(&Engine::Sqlite, config).await
    }

    /// With a history of one's own, on an engine.
    pub async fn with_on(engine: &Engine, config: Config) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let sandbox = Sandbox::new();
        let database = engine.database(&sandbox).await;
        Self {
            sandbox,
            simulator,
            database,
        }
    }

    /// A command, with nothing of the tester's own environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scheduler"));
        let folder = self.sandbox.path();
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("DATABASE_URL", self.database.url())
            .env(
                "ARCHIVE_URL",
                format!("file://{}", folder.join("archive").display()),
            )
            .env("DATABENTO_URL", self.simulator.url())
            .env("DATABENTO_API_KEY", API_KEY)
            .env("BACKHAUL_WORKERS", "2")
            .env("BACKHAUL_RETRY_SECONDS", "0.01")
            .env("BACKHAUL_RETRY_SECONDS_MAX", "0.2")
            .env("BACKHAUL_METADATA_REQUESTS_PER_SECOND", "10000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub async fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().await.unwrap())
    }

    /// Runs a command that must succeed.
    pub async fn succeed(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:#?}");
        said
    }

    /// A job file of this text.
    pub fn job(&self, text: &str) -> String {
        let path = self.sandbox.write("job.yaml", text);
        path.display().to_string()
    }

    /// A folder of configuration like the project's own, with one schema's file changed.
    pub fn config(&self, schema: &str, change: impl FnOnce(String) -> String) -> String {
        self.config_in("configuration", schema, change)
    }

    /// The same in a folder of its own.
    pub fn config_in(
        &self,
        folder: &str,
        schema: &str,
        change: impl FnOnce(String) -> String,
    ) -> String {
        let folder = self.sandbox.path().join(folder);
        for name in ["jobs", "schemas"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let mut change = Some(change);
        for document in ConfigFiles::CompiledIn.read_all("schemas").unwrap() {
            let name = document.origin.rsplit('/').next().unwrap().to_owned();
            let mut text = document.text;
            if name == format!("{schema}.yaml") {
                text = change.take().unwrap()(text);
            }
            std::fs::write(folder.join("schemas").join(name), text).unwrap();
        }
        folder.display().to_string()
    }

    /// The one job's entry in `status --json`.
    pub async fn status(&self) -> Value {
        let said = self.succeed(&["status", "--json"]).await;
        let document: Value = serde_json::from_str(&said.stdout).unwrap();
        document["jobs"][0].clone()
    }

    pub async fn tables(&self) -> BTreeMap<String, TableSum> {
        self.database.tables().await
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, sql: &'static str) {
        self.database.execute(sql).await;
    }

    /// Requests for data so far.
    pub fn data_requests(&self) -> Vec<RequestLog> {
        let requests = self.simulator.requests().into_iter();
        requests
            .filter(|request| request.path.ends_with("timeseries.get_range"))
            .collect()
    }

    pub fn fault(&self, fault: Fault) {
        self.simulator.add_fault(fault);
    }
}

pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Every byte of every file below a folder.
pub fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}
