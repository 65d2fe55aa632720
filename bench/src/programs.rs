//! Programs as a user has them: the release binaries beside this one, and what they took.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::samples::number;

/// Clock ticks in a second, as `/proc` counts them: the kernel's `USER_HZ`, the same everywhere.
pub const TICKS: u64 = 100;

/// The workspace's folder.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// A binary of the workspace, beside this one, in an environment of its own.
pub fn binary(name: &str) -> anyhow::Result<Command> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name(name);
    if !path.exists() {
        bail!(
            "there is no {}: begin with `cargo xtask bench`",
            path.display()
        );
    }
    let mut command = Command::new(path);
    for (variable, _) in std::env::vars_os() {
        let text = variable.to_string_lossy();
        if text.starts_with("BACKHAUL_") || text.ends_with("_URL") {
            command.env_remove(&variable);
        }
    }
    command.stdin(Stdio::null());
    Ok(command)
}

/// Runs a command to its end; what it printed.
pub fn run(command: &mut Command) -> anyhow::Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("{:?} can't be started", command.get_program()))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{:?} failed: {errors}", command.get_program());
    }
    Ok(output)
}

/// What a process has taken so far.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Time of processors, its own and the system's for it.
    pub processor: Duration,
    /// Bytes of memory, at most at once.
    pub peak_bytes: u64,
}

impl Taken {
    /// The peak of its memory, in MiB.
    pub fn peak_mebibytes(&self) -> f64 {
        const MEBIBYTE: f64 = 1_048_576.0;
        number(self.peak_bytes) / MEBIBYTE
    }
}

/// A process that is killed when nobody asks for it any more.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(command.spawn()?))
    }

    /// What it has taken so far.
    pub fn taken(&self) -> anyhow::Result<Taken> {
        let process = self.0.id();
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name before the last `)` may hold anything.
        let (_, rest) = stat.rsplit_once(')').context("a line of /proc")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.context("the peak of memory")?;
        let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(Taken {
            processor: Duration::from_millis(ticks * 1_000 / TICKS),
            peak_bytes: kibibytes * 1_024,
        })
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        testkit::processes::signal("TERM", &[self.0.id()]);
        let status = self.0.wait()?;
        match status.success() {
            true => Ok(()),
            false => bail!("it ended with {status}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
