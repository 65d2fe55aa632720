//! HTTP as a test speaks it: one question, one answer, and the connection is over.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer of a test's takes so long.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A question.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl<'a> Question<'a> {
    /// A question without a body.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str) -> Self {
        let (headers, body) = (Vec::new(), "");
        Self {
            method,
            path,
            headers,
            body,
        }
    }

    /// The same with a header. A `host` takes the place of the address.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: &'a str) -> Self {
        self.body = body;
        self
    }

    /// Asks; `None` when nobody answers.
    pub async fn ask(&self, address: SocketAddr) -> Option<Answer> {
        let asked = async {
            let mut stream = TcpStream::connect(address).await.ok()?;
            let request = self.text(address);
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = Vec::new();
            // Not every server closes the connection, though it is asked to.
            while !is_whole(&answer) && stream.read_buf(&mut answer).await.ok()? > 0 {}
            read(&String::from_utf8_lossy(&answer))
        };
        tokio::time::timeout(ANSWER_MAX, asked).await.ok()?
    }

    fn text(&self, address: SocketAddr) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            text.push_str(&format!("host: {address}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = self.body.len();
        text.push_str(&format!(
            "content-length: {length}\r\nconnection: close\r\n\r\n"
        ));
        text.push_str(self.body);
        text
    }
}

impl Answer {
    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Whether all is there that the answer's head promises.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = (String::from_utf8_lossy(&answer[..end]), end + 4);
    let head = head.to_lowercase();
    let length = head.split_once("content-length:").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= body + length)
}

fn read(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Some(Answer {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
    })
}
