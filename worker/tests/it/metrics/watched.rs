//! A worker whose metrics and health are asked for.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;

use common::configuration::files::ConfigFiles;
use testkit::scrape::get;
use tokio::process::{Child, Command};

use crate::fleet::Fleet;
use crate::waiting::wait_for;

/// A worker, and where it tells of itself.
pub struct Watched {
    pub process: Child,
    pub address: SocketAddr,
}

impl Watched {
    /// Starts one at a port that is free.
    pub async fn start(fleet: &Fleet, number: usize) -> Self {
        let mut command = fleet.worker();
        command
            .env("BACKHAUL_MAX_QUARANTINE_PERCENT", "100")
            .env("BACKHAUL_SHUTDOWN_GRACE_SECONDS", "600");
        let configs = fleet.sandbox.path().join("configs");
        if configs.is_dir() {
            command.env("BACKHAUL_CONFIG_DIR", configs);
        }
        Self::spawn(
            command,
            &fleet.sandbox.path().join(format!("worker-{number}.log")),
        )
        .await
    }

    /// Starts a worker of a fleet at a port that is free, and waits until it tells where.
    pub async fn spawn(mut command: Command, log: &Path) -> Self {
        command
            .env("BACKHAUL_METRICS_LISTEN", "127.0.0.1:0")
            .stderr(File::create(log).unwrap());
        let process = command.spawn().unwrap();
        let address = wait_for("it tells where", async || {
            let said = std::fs::read_to_string(log).unwrap();
            address_in(&said).ok_or(said)
        })
        .await;
        Self { process, address }
    }

    /// Waits until a path answers so, in a word of its body.
    pub async fn wait_for(&self, path: &str, status: u16, word: &str) {
        wait_for(path, async || match get(self.address, path).await {
            Some((found, body)) if found == status && body.contains(word) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    pub async fn assert_healthy(&self) {
        let answer = get(self.address, "/healthz").await;
        assert_eq!(answer, Some((200, "ok\n".to_owned())));
    }
}

/// The address that a worker's log tells, once its line is whole.
fn address_in(log: &str) -> Option<SocketAddr> {
    let lines = log
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let mut lines = lines.filter(|line| line.contains("metrics and health are told"));
    let (_, rest) = lines.next()?.split_once("127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    format!("127.0.0.1:{port}").parse().ok()
}

/// Workers that are started from now on in the fleet's folder quarantine small trades.
pub fn with_a_strict_rule(fleet: &Fleet) {
    let folder = fleet.sandbox.path().join("configs");
    std::fs::create_dir_all(folder.join("schemas")).unwrap();
    for document in ConfigFiles::CompiledIn.read_all("schemas").unwrap() {
        let name = document.origin.rsplit('/').next().unwrap();
        let text = document.text.replace("check: size > 0", "check: size > 2");
        std::fs::write(folder.join("schemas").join(name), text).unwrap();
    }
}
