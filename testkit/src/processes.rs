//! Signals to processes and their children, as an operator or a crash would send them.

use std::process::{Command, Output};

/// Sends a signal (`KILL`, `STOP`, `CONT`, `TERM`) to each process; one that has ended is passed by.
///
/// # Panics
/// When there is no shell.
pub fn signal(name: &str, processes: &[u32]) {
    let script = r#"name=$1; shift; for process; do kill -s "$name" "$process"; done"#;
    Command::new("sh")
        .args(["-c", script, "signal", name])
        .args(processes.iter().map(u32::to_string))
        .output()
        .expect("there is a shell");
}

/// Kills a process and its children at once, so that none can react to another's end.
///
/// # Panics
/// When there is no shell.
pub fn kill_with_children(process: u32) {
    // Stopped, it can't start another child while they are listed.
    signal("STOP", &[process]);
    let mut family = children(process);
    family.push(process);
    signal("KILL", &family);
}

/// Kills a process, its children, and theirs.
///
/// # Panics
/// When there is no shell.
pub fn kill_with_descendants(process: u32) {
    signal("STOP", &[process]);
    let mut family = vec![process];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        family.extend(children(*member));
        next += 1;
    }
    signal("KILL", &family);
}

/// Runs a command to its end.
///
/// # Panics
/// When it can't be started or fails.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    output
}

/// The processes that it has started; none where there is no `/proc`.
fn children(process: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|child| parent(*child) == Some(process))
        .collect()
}

fn parent(process: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before the last `)` may hold anything; the state and the parent follow it.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
