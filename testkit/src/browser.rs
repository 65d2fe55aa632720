//! A real browser without a window, which a test leads by WebDriver, as a person would by mouse and keys.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::http::Question;
use crate::{installed, processes};

/// Nothing takes so long but a test that fails.
const FOREVER: Duration = Duration::from_secs(120);
/// Between two looks at a page.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// An element by WebDriver's name of its key.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// Its profile, and the driver's log.
    _folder: TempDir,
}

impl Browser {
    /// A browser, or `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed one can't be started.
    pub async fn start() -> Option<Self> {
        let program = match installed::browser() {
            Ok(program) => program,
            Err(missing) => {
                println!("skipped: {missing}");
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = File::create(folder.path().join("log")).expect("a log can be written");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver can be started");
        let port = port(&mut driver).await;
        let mut browser = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            driver,
            session: String::new(),
            _folder: folder,
        };
        let profile = browser._folder.path().join("profile");
        let arguments = [
            "--headless=new".to_owned(),
            // It may run as root in a container, without much shared memory.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--window-size=1400,1400".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": program, "args": arguments },
        } } });
        let session = browser.call("POST", "/session", Some(&wanted)).await;
        let id = session["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.of_session("POST", "/url", Some(&json!({ "url": url })))
            .await;
    }

    /// What a script's body returns on the page.
    pub async fn script(&self, body: &str) -> Value {
        let script = json!({ "script": body, "args": [] });
        self.of_session("POST", "/execute/sync", Some(&script))
            .await
    }

    /// Waits until what a script's body returns is as it should be.
    ///
    /// # Panics
    /// When it never is.
    pub async fn wait_for(&self, what: &str, body: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + FOREVER;
        loop {
            let found = self.script(body).await;
            if wanted(&found) {
                return found;
            }
            let page = || self.script("return document.body.innerText");
            assert!(
                Instant::now() < deadline,
                "{what}: {found}\n{}",
                page().await
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until an element's text holds a word.
    pub async fn wait_for_text(&self, selector: &str, word: &str) {
        let body = format!("return document.querySelector({selector:?})?.innerText ?? ''");
        let holds = |found: &Value| found.as_str().is_some_and(|text| text.contains(word));
        self.wait_for(&format!("{word:?} in {selector}"), &body, holds)
            .await;
    }

    /// Clicks on an element.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        let path = format!("/element/{element}/click");
        self.of_session("POST", &path, Some(&json!({}))).await;
    }

    /// Types into an element; keys that have no character are those of WebDriver.
    pub async fn keys(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        let path = format!("/element/{element}/value");
        self.of_session("POST", &path, Some(&json!({ "text": text })))
            .await;
    }

    /// What the page and the browser wrote to the console since the last time.
    pub async fn console(&self) -> Vec<String> {
        let log = self
            .of_session("POST", "/se/log", Some(&json!({ "type": "browser" })))
            .await;
        let lines = log.as_array().into_iter().flatten();
        lines.map(|line| line["message"].to_string()).collect()
    }

    async fn find(&self, selector: &str) -> String {
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.of_session("POST", "/element", Some(&by)).await;
        found[ELEMENT]
            .as_str()
            .expect("an element has a reference")
            .to_owned()
    }

    async fn of_session(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        self.call(method, &format!("{}{path}", self.session), body)
            .await
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let question = Question::new(method, path).body(&body);
        let answer = question
            .ask(self.address)
            .await
            .expect("chromedriver answers");
        assert_eq!(
            answer.status, 200,
            "{method} {path} {body}: {}",
            answer.body
        );
        let mut told: Value = serde_json::from_str(&answer.body).expect("it answers with JSON");
        told["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With its own end the driver ends the browser; killed, it would leave it behind.
        if let Some(driver) = self.driver.id() {
            processes::kill_with_descendants(driver);
        }
    }
}

/// The port that the driver says it took.
async fn port(driver: &mut Child) -> u16 {
    let stdout = driver.stdout.take().expect("it was asked for");
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said = line.rsplit_once("started successfully on port ");
        if let Some(port) = said.and_then(|(_, port)| port.trim_end_matches('.').parse().ok()) {
            // What it says later is read by nobody, and nobody stops it from saying it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return port;
        }
    }
    panic!("chromedriver said no port");
}
