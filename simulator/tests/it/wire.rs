//! HTTP by hand, so that every byte and every bad end of an answer can be seen.

use simulator::{DEMO_KEY, Simulator};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As HTTP says that it ends.
    Clean,
    /// The connection was closed before that.
    Early,
    /// The connection was reset.
    Reset,
}

/// An answer, its body without the transfer encoding.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub end: End,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub authorization: Option<String>,
    pub body: &'a str,
}

/// The header of a key.
pub fn basic(key: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("{key}:")))
}

pub async fn get(simulator: &Simulator, target: &str) -> Answer {
    send(
        simulator,
        Ask {
            method: "GET",
            target,
            authorization: Some(basic(DEMO_KEY)),
            body: "",
        },
    )
    .await
}

pub async fn post(simulator: &Simulator, target: &str, body: &str) -> Answer {
    send(
        simulator,
        Ask {
            method: "POST",
            target,
            authorization: Some(basic(DEMO_KEY)),
            body,
        },
    )
    .await
}

pub async fn send(simulator: &Simulator, ask: Ask<'_>) -> Answer {
    let url = simulator.url();
    let address = url.strip_prefix("http://").expect("HTTP");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let authorization = ask
        .authorization
        .map(|value| format!("Authorization: {value}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{authorization}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{}",
        ask.method,
        ask.target,
        ask.body.len(),
        ask.body
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut received = Vec::new();
    let reset = stream.read_to_end(&mut received).await.is_err();
    parse(&received, reset)
}

fn parse(received: &[u8], reset: bool) -> Answer {
    let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Answer {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            end: End::Reset,
        };
    };
    let head = String::from_utf8_lossy(&received[..at]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let rest = &received[at + 4..];
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map(|(_, value)| value.parse::<usize>());
    let (body, whole) = match length {
        Some(length) => (rest.to_vec(), rest.len() == length.expect("a number")),
        None => dechunk(rest),
    };
    let end = match (whole, reset) {
        (true, _) => End::Clean,
        (false, true) => End::Reset,
        (false, false) => End::Early,
    };
    Answer {
        status: status.expect("a status"),
        headers,
        body,
        end,
    }
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(at) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size =
            usize::from_str_radix(&String::from_utf8_lossy(&rest[..at]), 16).expect("a chunk size");
        if size == 0 {
            return (body, true);
        }
        let chunk = &rest[at + 2..];
        if chunk.len() < size + 2 {
            body.extend_from_slice(&chunk[..chunk.len().min(size)]);
            return (body, false);
        }
        body.extend_from_slice(&chunk[..size]);
        rest = &chunk[size + 2..];
    }
}
