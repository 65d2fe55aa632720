//! Where installed servers, and programs that documents use, are looked for; `xtask` builds this file too, to install what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `PostgreSQL` refuses to run as root: it runs as this user then.
pub const POSTGRES_USER: &str = "postgres";

/// The oldest version that the project works with.
const POSTGRES_MAJOR_MIN: u32 = 15;

/// The folder of the newest installed `PostgreSQL` server's programs.
///
/// # Errors
/// Says what is missing.
pub fn postgres() -> Result<PathBuf, String> {
    let (_, folder) = postgres_folders()
        .into_iter()
        .filter_map(|folder| Some((postgres_major(&folder)?, folder)))
        .max_by_key(|(major, _)| *major)
        .filter(|(major, _)| *major >= POSTGRES_MAJOR_MIN)
        .ok_or_else(|| {
            format!("no PostgreSQL server of version {POSTGRES_MAJOR_MIN} or newer is installed")
        })?;
    if is_root() && !succeeds(Command::new("id").arg(POSTGRES_USER)) {
        return Err(format!(
            "PostgreSQL can't run as root, and there is no user {POSTGRES_USER}"
        ));
    }
    Ok(folder)
}

/// Whether a Redis server and its client can be run.
///
/// # Errors
/// Says what is missing.
pub fn redis() -> Result<(), String> {
    for program in ["redis-server", "redis-cli"] {
        if !succeeds(Command::new(program).arg("--version")) {
            return Err(format!("{program} is not installed"));
        }
    }
    Ok(())
}

/// Whether Prometheus and its tool, by which metrics, alerts and the dashboard are tried, can be run.
///
/// # Errors
/// Says what is missing.
pub fn prometheus() -> Result<(), String> {
    for program in ["prometheus", "promtool"] {
        if !succeeds(Command::new(program).arg("--version")) {
            return Err(format!("{program} is not installed"));
        }
    }
    Ok(())
}

/// Whether `kubectl` can be run, by which overlays are rendered.
#[must_use]
pub fn kubectl() -> bool {
    succeeds(Command::new("kubectl").args(["version", "--client"]))
}

/// Whether the programs can be run that documents show beside ours.
///
/// # Errors
/// Says what is missing.
pub fn document_tools() -> Result<(), String> {
    for program in ["sqlite3", "curl"] {
        if !succeeds(Command::new(program).arg("--version")) {
            return Err(format!("{program} is not installed"));
        }
    }
    Ok(())
}

/// The browser that tests lead, where it and its driver are installed.
///
/// # Errors
/// Says what is missing.
pub fn browser() -> Result<PathBuf, String> {
    if !succeeds(Command::new("chromedriver").arg("--version")) {
        return Err("chromedriver is not installed".to_owned());
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.iter().find_map(|name| found_by_shell(name));
    found.ok_or_else(|| "neither Chromium nor Chrome is installed".to_owned())
}

/// Whether this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    let answer = Command::new("id").arg("-u").output();
    answer.is_ok_and(|answer| answer.stdout.trim_ascii() == b"0")
}

/// Debian keeps a folder a version; others put the programs where the shell finds them.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let mut folders: Vec<_> = versions
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.push(PathBuf::from("/usr/local/bin"));
    let found = found_by_shell("initdb");
    folders.extend(found.and_then(|found| found.parent().map(Path::to_owned)));
    folders
}

fn found_by_shell(program: &str) -> Option<PathBuf> {
    let script = format!("command -v {program}");
    let found = Command::new("sh").args(["-c", &script]).output().ok()?;
    let found = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    Some(PathBuf::from(found)).filter(|path| path.is_absolute())
}

/// The version of a complete set of programs.
fn postgres_major(folder: &Path) -> Option<u32> {
    let complete = ["initdb", "postgres", "psql"]
        .iter()
        .all(|program| folder.join(program).exists());
    if !complete {
        return None;
    }
    let answer = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    // It says `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let version = answer.split_whitespace().nth(2)?;
    let major: String = version.chars().take_while(char::is_ascii_digit).collect();
    major.parse().ok()
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|answer| answer.status.success())
}
