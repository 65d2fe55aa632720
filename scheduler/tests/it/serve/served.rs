//! A `serve` that runs, and questions to it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::http::{Answer, Question};
use testkit::processes;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Nothing takes so long but a test that fails.
pub const FOREVER: Duration = Duration::from_secs(120);
/// Between two questions of who waits for something.
pub const ASK_EVERY: Duration = Duration::from_millis(50);

/// A `serve`, and where it listens.
pub struct Served {
    process: Child,
    pub address: SocketAddr,
}

impl Served {
    /// Starts one; the command names where it listens.
    pub async fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let stdout = process.stdout.take().unwrap();
        let line = BufReader::new(stdout).lines().next_line().await.unwrap();
        let line = line.expect("it says where it listens");
        let address = line.strip_prefix("serving http://").unwrap();
        let (address, _) = address.split_once('/').unwrap();
        let address = address.parse().unwrap();
        Self { process, address }
    }

    pub async fn ask(&self, question: Question<'_>) -> Answer {
        question.ask(self.address).await.expect("somebody answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Question::new("GET", path)).await
    }

    /// A document below `/api`, whose status must be this.
    pub async fn document(&self, path: &str, status: u16) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Asks for a document until it is as it should be.
    pub async fn wait_for(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + FOREVER;
        loop {
            let answer = self.get(path).await;
            let document = serde_json::from_str(&answer.body).unwrap();
            if wanted(&document) {
                return document;
            }
            assert!(Instant::now() < deadline, "{path}: {document:#}");
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Ends it as an operator would, and waits until it has.
    pub async fn end(mut self) {
        processes::signal("TERM", &[self.process.id().unwrap()]);
        let ended = tokio::time::timeout(FOREVER, self.process.wait()).await;
        assert_eq!(ended.unwrap().unwrap().code(), Some(0));
    }
}
