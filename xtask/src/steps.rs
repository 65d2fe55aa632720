//! The steps of `cargo xtask test`, in the order in which they are quick to fail.

use std::path::Path;
use std::time::Instant;

use crate::{servers, tidy};

/// Features that a newcomer's first build goes without: the documentation's examples are built as that,
/// all other checks with them, in one build.
const OPTIONAL: &str = "scheduler/parquet,scheduler/s3,scheduler/otel,worker/otel";

/// Runs every check. What the tests need, they bring themselves: a simulated vendor, private
/// servers from installed programs, and real data where it lies beside the project.
pub fn test(root: &Path) -> Result<(), String> {
    tidy::check(root)?;
    servers::ensure()?;
    cargo(root, &["fmt", "--all", "--check"], &[])?;
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        OPTIONAL,
        "--locked",
        "--",
        "--deny",
        "warnings",
    ];
    cargo(root, &lints, &[])?;
    let documentation = ["doc", "--workspace", "--no-deps", "--locked"];
    cargo(root, &documentation, &[("RUSTDOCFLAGS", "--deny warnings")])?;
    cargo(root, &["test", "--workspace", "--doc", "--locked"], &[])?;
    if has(root, "deny") {
        cargo(root, &["deny", "check", "bans", "licenses", "sources"], &[])?;
    }
    if has(root, "nextest") {
        let tests = [
            "nextest",
            "run",
            "--workspace",
            "--features",
            OPTIONAL,
            "--locked",
        ];
        return cargo(root, &tests, &[]);
    }
    // Failpoints are one to a process, and nextest gives each test its own; without it they wait
    // for each other.
    let tests = [
        "test",
        "--workspace",
        "--features",
        OPTIONAL,
        "--locked",
        "--tests",
        "--bins",
        "--lib",
    ];
    let one_by_one = ["--", "--test-threads", "1"];
    cargo(
        root,
        &[tests.as_slice(), one_by_one.as_slice()].concat(),
        &[],
    )
}

/// Writes what is generated from the types: the test that compares it does so when it is asked to. It is
/// built as the whole suite is, so that neither builds anew what the other has.
pub fn docs(root: &Path) -> Result<(), String> {
    let arguments = [
        "test",
        "--workspace",
        "--features",
        OPTIONAL,
        "--locked",
        "--test",
        "it",
        "documentation::generated::the_reference_is_what_the_types_say",
    ];
    cargo(root, &arguments, &[("WRITE_REFERENCE", "1")])
}

/// Builds what a user has, and measures it: all benchmarks, or those of these names.
pub fn bench(root: &Path, names: &[&str]) -> Result<(), String> {
    // Each is a file. The build takes minutes: a name that nobody has is told before.
    let known = |name: &str| {
        let file = format!("bench/src/benchmarks/{}.rs", name.replace('-', "_"));
        root.join(file).exists()
    };
    if let Some(name) = names.iter().find(|name| !known(name)) {
        return Err(format!(
            "there is no benchmark {name}; each is a file in bench/src/benchmarks"
        ));
    }
    servers::ensure()?;
    let build = [
        "build",
        "--release",
        "--locked",
        "--bin",
        "scheduler",
        "--bin",
        "worker",
        "--bin",
        "bench",
    ];
    cargo(root, &build, &[])?;
    let run = ["run", "--release", "--locked", "--bin", "bench", "--"];
    cargo(root, &[run.as_slice(), names].concat(), &[])
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let line = format!("cargo {}", arguments.join(" "));
    println!("── {line}");
    let began = Instant::now();
    let status = crate::cargo()
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo can't be started: {error}"))?;
    if !status.success() {
        return Err(format!("`{line}` failed"));
    }
    println!("── {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Whether a subcommand of cargo's is installed.
fn has(root: &Path, subcommand: &str) -> bool {
    let asked = crate::cargo()
        .args([subcommand, "--version"])
        .current_dir(root)
        .output();
    asked.is_ok_and(|answer| answer.status.success())
}
