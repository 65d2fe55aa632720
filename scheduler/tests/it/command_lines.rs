//! What describes the command lines: completions that complete, and manual pages that render.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scheduler::arguments::Program;
use testkit::sandbox::Sandbox;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];
const PROGRAMS: [&str; 3] = ["scheduler", "worker", "simulator"];

fn scheduler(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scheduler"));
    command.args(arguments).env_clear().output().unwrap()
}

#[track_caller]
fn succeed(arguments: &[&str]) -> String {
    let output = scheduler(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    assert_eq!(stderr, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn is_installed(program: &str) -> bool {
    let installed = Command::new(program).arg("--version").output().is_ok();
    if !installed {
        eprintln!("passed by: {program} is not installed");
    }
    installed
}

/// What bash would offer for the last word of a line, by a program's script.
fn offered(program: &str, words: &[&str]) -> Vec<String> {
    let script = succeed(&["completions", "bash", "--bin", program]);
    let sandbox = Sandbox::new();
    let script = sandbox.write("script", &script);
    // As readline calls it: the program, the word under the cursor, and the one before.
    let call = r#"
        set -eu
        source "$1"; shift
        [[ $(complete -p "$1") == *" -F _$1 "* ]]
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        "_$1" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", call, "bash"])
        .arg(script)
        .arg(program)
        .args(words)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {stderr}");
    let offered = String::from_utf8(output.stdout).unwrap();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    if !is_installed("bash") {
        return;
    }
    assert_eq!(offered("scheduler", &["que"]), ["query"]);
    assert_eq!(
        offered("scheduler", &["query", "--output-f"]),
        ["--output-format"]
    );
    assert_eq!(
        offered("scheduler", &["query", "--output-format", ""]),
        ["table", "csv", "json", "ndjson", "parquet"]
    );
    assert_eq!(offered("scheduler", &["archive", "ver"]), ["verify"]);
    assert_eq!(
        offered("scheduler", &["completions", "--bin", "w"]),
        ["worker"]
    );
    assert_eq!(offered("worker", &["--redis"]), ["--redis-url"]);
    assert_eq!(offered("simulator", &["--trades"]), ["--trades-per-day"]);
}

/// Every command of a program, as words behind its name.
fn commands(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
    for command in command.get_subcommands() {
        let path = [path, &[command.get_name().to_owned()]].concat();
        commands(command, &path, found);
        found.push(path);
    }
}

#[test]
fn every_shell_knows_every_command_and_flag_of_every_program() {
    for program in Program::ALL {
        let command = program.command_line();
        let name = command.get_name();
        let mut found = Vec::new();
        commands(&command, &[], &mut found);
        for shell in SHELLS {
            let script = succeed(&["completions", shell, "--bin", name]);
            let flags = command.get_arguments().filter_map(|flag| flag.get_long());
            let words = found
                .iter()
                .filter_map(|path| path.last().map(String::as_str));
            for word in flags.chain(words) {
                assert!(script.contains(word), "{name}, {shell}: no {word}");
            }
        }
    }
    let said = scheduler(&["completions", "csh"]);
    assert_eq!(said.status.code(), Some(2));
    let help = succeed(&["completions", "--help"]);
    for shell in SHELLS {
        let example = format!("scheduler completions {shell}");
        assert!(help.contains(&example), "no {example} in:\n{help}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    if !is_installed("bash") {
        return;
    }
    // `true` reads nothing, so that the script meets a closed pipe.
    let line = r#""$0" completions zsh | true; echo "${PIPESTATUS[0]}""#;
    let output = Command::new("bash")
        .args(["-c", line, env!("CARGO_BIN_EXE_scheduler")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().to_str().unwrap();
    let said = succeed(&["man", folder]);
    let mut wanted = Vec::new();
    for program in Program::ALL {
        let command = program.command_line();
        let mut found = vec![Vec::new()];
        commands(&command, &[], &mut found);
        for path in found {
            let words = [&[command.get_name().to_owned()], path.as_slice()].concat();
            wanted.push(format!("{}.1", words.join("-")));
        }
    }
    wanted.sort();
    assert_eq!(names(sandbox.path()), wanted);
    assert!(
        said.starts_with(&format!("{} pages", wanted.len())),
        "{said}"
    );
    for program in PROGRAMS {
        assert!(wanted.contains(&format!("{program}.1")));
    }
    // A second time it writes them anew.
    sandbox.write("worker.1", "an older one");
    succeed(&["man", folder]);
    let page = fs::read_to_string(sandbox.path().join("worker.1")).unwrap();
    assert!(page.contains("redis"), "{page}");
}

#[test]
fn manual_pages_render_without_a_warning() {
    if !is_installed("groff") {
        return;
    }
    let sandbox = Sandbox::new();
    succeed(&["man", sandbox.path().to_str().unwrap()]);
    for name in names(sandbox.path()) {
        let output = Command::new("groff")
            .args(["-man", "-Kutf8", "-Tutf8", "-P-cbou", "-ww"])
            .arg(sandbox.path().join(&name))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {stderr}");
        assert_eq!(stderr, "", "{name}");
        let page = String::from_utf8_lossy(&output.stdout);
        // Examples keep their lines.
        if name == "scheduler-completions.1" {
            let example = "  bash        scheduler completions bash > ";
            assert!(page.contains(example), "{page}");
        }
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS"] {
            assert!(page.contains(section), "{name} has no {section}:\n{page}");
        }
    }
}

#[test]
fn a_manual_page_is_written_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().to_str().unwrap();
    let nowhere = sandbox.path().join("nowhere");
    let said = scheduler(&["man", nowhere.to_str().unwrap()]);
    assert_eq!(said.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(
        stderr.contains("no such folder") && stderr.contains("mkdir"),
        "{stderr}"
    );
    // A folder stands where a page should.
    fs::create_dir(sandbox.path().join("scheduler-run.1")).unwrap();
    let said = scheduler(&["man", folder]);
    assert_eq!(said.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(stderr.contains("scheduler-run.1"), "{stderr}");
    for name in names(sandbox.path()) {
        let path = sandbox.path().join(&name);
        assert!(!name.ends_with(".partial"), "{name}");
        if path.is_file() {
            let page = fs::read_to_string(&path).unwrap();
            assert!(page.contains("EXIT STATUS"), "{name} is not whole:\n{page}");
        }
    }
}
