//! `cargo xtask`: the project's own tasks. `cargo xtask test` is everything that has to pass.

mod chaos;
mod servers;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask TASK

tasks:
  test    everything: layout, servers, format, lints, documentation, tests
  docs    docs/reference written anew, as the types say
  tidy    the layout alone: each file's first sentence and its length
  chaos [--seconds N] [--seed S]
          three workers under fire for N seconds (default 60) against one undisturbed
  bench [NAME…]
          benchmarks, beside what they are compared with; results go to bench/results
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = root();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => steps::test(&root),
        ["docs"] => steps::docs(&root),
        ["tidy"] => tidy::check(&root),
        ["chaos", ref options @ ..] if let Some(options) = chaos::Options::read(options) => {
            chaos::run(&root, options)
        }
        ["bench", ref names @ ..] => steps::bench(&root, names),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Cargo, without what this program's own run left in the environment: some dependencies are built
/// anew whenever that changes.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if own {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The workspace's folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
