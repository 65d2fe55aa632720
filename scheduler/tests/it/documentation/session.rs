//! A session of `bash`, in which a document's commands run one after the other.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A command that isn't over by then hangs, on the slowest machine.
const COMMAND: Duration = Duration::from_secs(120);

/// Ends what a command printed; no program of ours prints it.
const END: &str = "\u{1e}";

/// A shell that is kept; its processes end with it.
pub struct Session {
    shell: Child,
    typed: ChildStdin,
    printed: BufReader<ChildStdout>,
    step: PathBuf,
}

/// How a command went.
pub struct Done {
    pub code: i32,
    /// What it printed, on both ways.
    pub printed: String,
}

impl Session {
    /// In a folder, with these variables and no others. `step` is where commands are put.
    pub async fn begin(folder: &Path, variables: &[(&str, String)], step: PathBuf) -> Self {
        let mut shell = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(folder)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut session = Self {
            typed: shell.stdin.take().unwrap(),
            printed: BufReader::new(shell.stdout.take().unwrap()),
            shell,
            step,
        };
        session.send("exec 2>&1; set -o pipefail; last=0\n").await;
        session
    }

    /// Runs a command to its end; `None` when it doesn't end, or ends the shell.
    pub async fn run(&mut self, command: &str) -> Option<Done> {
        std::fs::write(&self.step, command).unwrap();
        let step = self.step.display();
        let line = format!(
            "step=$(<'{step}'); (exit $last); eval \"$step\" </dev/null; last=$?; \
             printf '\\n{END}%s\\n' $last\n"
        );
        self.send(&line).await;
        tokio::time::timeout(COMMAND, self.printed()).await.ok()?
    }

    async fn printed(&mut self) -> Option<Done> {
        let mut all = String::new();
        loop {
            let mut line = Vec::new();
            if self.printed.read_until(b'\n', &mut line).await.unwrap() == 0 {
                return None;
            }
            let line = String::from_utf8_lossy(&line);
            if let Some(code) = line.strip_prefix(END) {
                let printed = all.strip_suffix('\n').unwrap_or(&all).to_owned();
                let code = code.trim().parse().unwrap();
                return Some(Done { code, printed });
            }
            if !is_news_of_a_job(&line) {
                all.push_str(&line);
            }
        }
    }

    async fn send(&mut self, line: &str) {
        self.typed.write_all(line.as_bytes()).await.unwrap();
    }
}

/// That a job was killed is told by the shell whenever it finds out.
fn is_news_of_a_job(line: &str) -> bool {
    line.starts_with("bash: line ") && line.contains(" Killed ")
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(group) = self.shell.id() {
            let script = format!("kill -s KILL -- -{group}");
            let _gone = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
        }
    }
}
