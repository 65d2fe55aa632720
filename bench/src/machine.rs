//! The machine that was measured on.

use std::fmt;
use std::fs;
use std::process::Command;

use serde::Serialize;

/// What a reader wants to know of a machine.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    cores: usize,
    processor: String,
    memory_gib: u64,
    kernel: String,
    postgresql: Option<String>,
    /// What else ran, at the end: the load of the last minute holds the benchmark's own.
    load_of_a_minute: String,
    commit: Option<String>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kibibytes: u64 = memory
            .split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            memory_gib: kibibytes.div_ceil(1 << 20),
            kernel: said(Command::new("uname").arg("-r")).unwrap_or_default(),
            postgresql: said(Command::new("psql").arg("--version")),
            load_of_a_minute: load.split(' ').next().unwrap_or_default().to_owned(),
            commit: said(Command::new("git").args(["rev-parse", "--short", "HEAD"])),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cores, processor) = (self.cores, &self.processor);
        let (memory, load) = (self.memory_gib, &self.load_of_a_minute);
        write!(f, "{cores} cores ({processor}), {memory} GiB, load {load}")
    }
}

/// The first value of a name in a file of `name: value` lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
