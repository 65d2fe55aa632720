//! The reference pages are what the types say; `cargo xtask docs` writes them.

mod commands;
mod configuration;
mod job_files;
mod keys;
mod markdown;

use std::fs;
use std::path::{Path, PathBuf};

use common::configuration::json_schema;
use serde_json::Value;

/// Set by `cargo xtask docs`: the files are written instead of compared.
const WRITE: &str = "WRITE_REFERENCE";

/// Every file of `docs/reference`.
fn files() -> Vec<(&'static str, String)> {
    vec![
        ("commands.md", commands::page()),
        ("configuration.md", configuration::page()),
        ("job-files.md", job_files::page()),
        ("job.schema.json", json(&json_schema::job_file())),
        ("mapping.schema.json", json(&json_schema::mapping())),
        ("settings.schema.json", json(&json_schema::settings())),
    ]
}

fn json(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The project's folder.
fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap()
}

fn folder() -> PathBuf {
    root().join("docs/reference")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is the task's own, not a setting"
)]
fn the_reference_is_what_the_types_say() {
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(folder()).unwrap();
        for (name, text) in files() {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let complaints = complaints(&folder());
    assert!(
        complaints.is_empty(),
        "the reference is not what the types say; run `cargo xtask docs`:\n{}",
        complaints.join("\n")
    );
}

/// Where the files in a folder differ from what the types say: the first line of each.
fn complaints(folder: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    let wanted = files();
    for (name, text) in &wanted {
        let place = format!("docs/reference/{name}");
        let Ok(is) = fs::read_to_string(folder.join(name)) else {
            complaints.push(format!("{place}: the file is missing"));
            continue;
        };
        // An end of its own makes a missing or an additional line a difference too.
        let ended = |text: &str| {
            let lines = text.split('\n').map(str::to_owned);
            lines.chain(["(the end)".to_owned()]).collect::<Vec<_>>()
        };
        let (is, should) = (ended(&is), ended(text));
        let first = is.iter().zip(&should).position(|(is, should)| is != should);
        if let Some(line) = first {
            let number = line + 1;
            let (is, should) = (&is[line], &should[line]);
            complaints.push(format!("{place}:{number}: {is:?} should be {should:?}"));
        }
    }
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let name = entry.unwrap().file_name();
        if !wanted.iter().any(|(wanted, _)| name == *wanted) {
            complaints.push(format!(
                "docs/reference/{}: nothing generates this file",
                name.display()
            ));
        }
    }
    complaints
}

#[test]
fn a_page_that_differs_is_named_with_its_line() {
    let sandbox = testkit::sandbox::Sandbox::new();
    for (name, text) in files() {
        sandbox.write(name, &text);
    }
    assert_eq!(complaints(sandbox.path()), Vec::<String>::new());
    let page = commands::page();
    let planted = page.replacen("--database-url", "--database-address", 1);
    let before = page.split("--database-url").next().unwrap();
    sandbox.write("commands.md", &planted);
    sandbox.write("stray.md", "by hand");
    fs::remove_file(sandbox.path().join("job.schema.json")).unwrap();
    let complaints = complaints(sandbox.path()).join("\n");
    let line = before.split('\n').count();
    for part in [
        &format!("docs/reference/commands.md:{line}: "),
        "--database-address",
        "docs/reference/job.schema.json: the file is missing",
        "docs/reference/stray.md: nothing generates this file",
    ] {
        assert!(complaints.contains(part), "{part} is not in:\n{complaints}");
    }
}

#[test]
fn every_job_file_names_its_schema() {
    let jobs = fs::read_dir(root().join("configs/jobs")).unwrap();
    let mut seen = 0;
    for job in jobs {
        let path = job.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let schema = first.strip_prefix("# yaml-language-server: $schema=");
        let schema = schema.unwrap_or_else(|| panic!("{} names no schema", path.display()));
        let schema = path.parent().unwrap().join(schema);
        assert_eq!(
            schema.canonicalize().unwrap(),
            folder().join("job.schema.json").canonicalize().unwrap()
        );
        seen += 1;
    }
    assert!(seen > 0);
}
