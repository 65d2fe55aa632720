//! Measures Backhaul beside what it is compared with: `cargo xtask bench [NAME…]`.

mod machine;
mod outcome;
mod samples;
mod programs;
mod servers;
mod vendor;
mod jobs;
mod fleet;
mod benchmarks;

use std::process::ExitCode;

use anyhow::Context;

use crate::outcome::Outcome;

/// A benchmark: what it is called, and what it does.
type Benchmark = (&'static str, fn() -> anyhow::Result<Option<Outcome>>);

const BENCHMARKS: [Benchmark; 10] = [
    ("fetch", benchmarks::fetch::run),
    ("rules", benchmarks::rules::run),
    ("load-sqlite", benchmarks::load_sqlite::run),
    ("load-postgres", benchmarks::load_postgres::run),
    ("memory", benchmarks::memory::run),
    ("queue", benchmarks::queue::run),
    ("plan", benchmarks::plan::run),
    ("scaling", benchmarks::scaling::run),
    ("query", benchmarks::query::run),
    ("page", benchmarks::page::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| BENCHMARKS.iter().any(|(known, _)| known == name);
    if let Some(name) = wanted.iter().find(|name| !known(name)) {
        let names = BENCHMARKS.map(|(name, _)| name).join(", ");
        eprintln!("error: there is no benchmark {name}; there are {names}");
        return ExitCode::from(2);
    }
    let mut code = ExitCode::SUCCESS;
    for (name, run) in BENCHMARKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("\n── {name}");
        match run().and_then(|outcome| keep(name, outcome)) {
            Ok(()) => {}
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// Prints what came out, and keeps it for whoever compares.
fn keep(name: &str, outcome: Option<Outcome>) -> anyhow::Result<()> {
    let Some(outcome) = outcome else {
        println!("skipped");
        return Ok(());
    };
    print!("{outcome}");
    let folder = programs::root().join("bench/results");
    std::fs::create_dir_all(&folder)?;
    let document = serde_json::to_string_pretty(&outcome.document(name))?;
    for (kind, text) in [("txt", outcome.to_string()), ("json", document + "\n")] {
        let path = folder.join(name).with_extension(kind);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
