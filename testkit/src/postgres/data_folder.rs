//! A new server's data: made once a version, then copied, which is ten times as quick.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::Programs;
use crate::installed::POSTGRES_USER;
use crate::processes::run;

/// How `initdb` makes it. Who changes this changes `TEMPLATE` too.
const OPTIONS: [&str; 9] = [
    "-A",
    "trust",
    "-U",
    POSTGRES_USER,
    "-E",
    "UTF8",
    "--locale",
    "C",
    "--no-sync",
];

const TEMPLATE: &str = "postgres-template-1";

/// The data's place in a server's folder.
pub(super) fn within(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Makes it, and makes the folder the server's.
///
/// # Panics
/// When that fails.
pub(super) fn make(programs: &Programs, folder: &Path) {
    let template = template(programs);
    let copied = template.as_ref().is_some_and(|template| template.exists());
    if let Some(template) = &template
        && copied
    {
        copy(template, &within(folder));
    }
    if programs.started_by_root() {
        run(Command::new("chown")
            .args(["-R", POSTGRES_USER])
            .arg(folder));
    }
    if copied {
        return;
    }
    run(programs
        .command("initdb")
        .args(OPTIONS)
        .arg("-D")
        .arg(within(folder))
        .current_dir(folder));
    if let Some(template) = template {
        keep(&within(folder), &template);
    }
}

/// Where this version's template is or will be: beside the tests' program, so that it goes with
/// what else was built.
fn template(programs: &Programs) -> Option<PathBuf> {
    let version = run(Command::new(programs.path("postgres")).arg("--version")).stdout;
    // It says `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
    let version: String = String::from_utf8_lossy(&version)
        .split_whitespace()
        .skip(2)
        .flat_map(str::chars)
        .filter(|character| character.is_ascii_alphanumeric() || ".-".contains(*character))
        .collect();
    let program = std::env::current_exe().ok()?;
    Some(program.with_file_name(format!("{TEMPLATE}-{version}")))
}

/// Makes the template from data that no server has touched. Another process may do the same: one
/// of them is first, and nobody sees half of it.
fn keep(data: &Path, template: &Path) {
    let Some(folder) = template.parent() else {
        return;
    };
    let Ok(draft) = tempfile::tempdir_in(folder) else {
        return; // Programs in a folder that can't be written: each test has to wait for its own.
    };
    let draft = within(draft.path());
    copy(data, &draft);
    if let Err(error) = std::fs::rename(&draft, template)
        && !template.exists()
    {
        println!(
            "no template could be made at {}: {error}",
            template.display()
        );
    }
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-R").arg(from).arg(to));
}
