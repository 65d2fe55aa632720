//! A real pseudo-terminal, made by `script`, and what a person would see on it.

use std::num::NonZeroU16;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than anything takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program on a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: ChildStdout,
    screen: vt100::Parser,
    /// All that was written to it.
    pub written: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal of so many columns and rows; `None` where `script` is not
    /// installed.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Option<Self> {
        let command = command.as_std();
        let quoted = |text: &std::ffi::OsStr| {
            let text = text.to_str().unwrap().replace('\'', r"'\''");
            format!("'{text}'")
        };
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(quoted)
            .collect();
        let line = format!(
            "stty rows {rows} cols {columns}; tty > terminal; exec {}",
            words.join(" ")
        );
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .current_dir(command.get_current_dir().unwrap())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = match script.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("passed by: script is not installed");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let size = |number| NonZeroU16::new(number).unwrap();
        Some(Self {
            keys: child.stdin.take().unwrap(),
            output: child.stdout.take().unwrap(),
            child,
            screen: vt100::Parser::new(size(rows), size(columns), 0),
            written: Vec::new(),
        })
    }

    /// What stands on the screen.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Whether the program has a screen of its own.
    pub fn is_apart(&self) -> bool {
        self.screen.screen().alternate_screen()
    }

    pub async fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).await.unwrap();
        self.keys.flush().await.unwrap();
    }

    /// Waits until all of these words stand on the screen at once.
    pub async fn wait_for(&mut self, words: &[&str]) {
        let all_there = |text: &str| words.iter().all(|word| text.contains(word));
        let waited = tokio::time::timeout(PATIENCE, async {
            while !all_there(&self.text()) {
                if !self.read().await {
                    return false;
                }
            }
            true
        });
        let found = waited.await;
        assert!(found == Ok(true), "{words:?}: {found:?}\n{}", self.text());
    }

    /// Reads to the end; the exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, async {
            while self.read().await {}
            self.child.wait().await.unwrap().code()
        });
        ended.await.unwrap()
    }

    async fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let count = self.output.read(&mut bytes).await.unwrap_or(0);
        self.screen.process(&bytes[..count]);
        self.written.extend(&bytes[..count]);
        count > 0
    }
}
