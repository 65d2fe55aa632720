//! Scrapes: what a process tells of itself by HTTP, read as Prometheus would.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::http::Question;

/// Asks for a path: the status, and the body as text; `None` when nobody answers.
pub async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let answer = Question::new("GET", path).ask(address).await?;
    Some((answer.status, answer.body))
}

/// Metrics at one moment.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    /// The text as it came.
    pub text: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Scrape {
    /// Asks a process for its metrics.
    ///
    /// # Panics
    /// When it doesn't tell them.
    pub async fn of(address: SocketAddr) -> Self {
        let (status, text) = get(address, "/metrics").await.expect("somebody answers");
        assert_eq!(status, 200, "{text}");
        Self::read(text)
    }

    /// Reads what a process answered.
    ///
    /// # Panics
    /// When it is no text of metrics.
    #[must_use]
    pub fn read(text: String) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter(|line| !line.is_empty()).map(sample).collect();
        Self { text, samples }
    }

    /// The sum of all samples of a name that have these labels; `None` when there is none.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |of: &BTreeMap<String, String>| {
            let mut labels = labels.iter();
            labels.all(|(label, value)| of.get(*label).is_some_and(|found| found == value))
        };
        let found = self
            .samples
            .iter()
            .filter(|(of, labels, _)| of == name && has(labels));
        found
            .map(|(_, _, value)| *value)
            .reduce(|sum, value| sum + value)
    }

    /// The names of all metrics, by their descriptions.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let types = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }

    /// Lets Prometheus' own tool check the text, where it is installed.
    ///
    /// # Panics
    /// When it finds something.
    pub fn check(&self) {
        let mut command = Command::new("promtool");
        command.args(["check", "metrics"]).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut promtool) = command.spawn() else {
            println!("promtool is not installed: the metrics were not checked by it");
            return;
        };
        let mut stdin = promtool.stdin.take().expect("it was asked for");
        stdin
            .write_all(self.text.as_bytes())
            .expect("promtool reads");
        drop(stdin);
        let output = promtool.wait_with_output().expect("promtool ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{}", self.text);
    }
}

/// `name{label="value",…} value`; no value of ours holds a quote or a comma.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split(',');
    let labels = labels.filter_map(|label| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    });
    let value = value.parse().expect("a sample's value is a number");
    (name.to_owned(), labels.collect(), value)
}
