//! Variables, commands and flags: what documents name exists, and what exists is named.

use std::collections::BTreeSet;

use common::configuration::settings::environment;

use super::command_line::mistakes;
use super::complaint::{Complaint, did_you_mean};
use super::document::{Documents, Parts};
use super::programs::Program;

/// What tests read.
const OF_TESTS: [&str; 1] = ["TIMESCALE_TEST_URL"];
/// Beginnings of variables that are ours to know.
const OURS: [&str; 4] = ["BACKHAUL_", "DATABENTO_", "AWS_", "OTEL_"];
/// Programs of others, whose flags are theirs.
const OTHERS: [&str; 8] = [
    "cargo",
    "redis-cli",
    "psql",
    "sqlite3",
    "git",
    "bash",
    "apt-get",
    "kubectl",
];
/// Flags of others that documents name by themselves; each is looked for.
pub const FLAGS_OF_OTHERS: [(&str, &str); 1] = [("--features", "cargo's")];

/// What can be named.
pub struct Known {
    pub variables: BTreeSet<String>,
    pub programs: Vec<Program>,
}

impl Known {
    pub fn read() -> Self {
        let described = [
            environment::SETTINGS,
            environment::OTHERS,
            environment::BUCKET,
            environment::TRACES,
        ];
        let described = described.concat().into_iter().map(|(name, _)| name);
        Self {
            variables: described.chain(OF_TESTS).map(str::to_owned).collect(),
            programs: Program::all(),
        }
    }

    fn flags(&self) -> BTreeSet<&str> {
        self.programs.iter().flat_map(Program::all_flags).collect()
    }
}

/// What is wrong with names.
pub fn check(documents: &Documents, known: &Known) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut variables = BTreeSet::new();
    let mut flags: BTreeSet<String> = BTreeSet::new();
    for (path, parts) in documents.parts() {
        for (line, variable) in variables_in(&documents.0[path]) {
            if !known.variables.contains(variable) {
                let near = did_you_mean(variable, known.variables.iter().map(String::as_str));
                let why = format!("nothing reads the variable {variable}{near}");
                complaints.push(Complaint::new(path, line, why));
            }
            variables.insert(variable);
        }
        for (line, code) in code_of(&parts) {
            let wrong = wrong_in(code, known).into_iter();
            complaints.extend(wrong.map(|why| Complaint::new(path, line, why)));
            let words = code.split([' ', '\n', '[', ']', '=', '|', ',', '…']);
            flags.extend(words.map(str::to_owned));
        }
    }
    let is_unnamed = |variable: &&String| !variables.contains(variable.as_str());
    for variable in known.variables.iter().filter(is_unnamed) {
        let why = format!("no document names the variable {variable}");
        complaints.push(Complaint::new("docs/README.md", 1, why));
    }
    let is_long = |flag: &&str| flag.starts_with("--");
    for flag in known.flags().into_iter().filter(is_long) {
        if !flags.contains(flag) {
            let why = format!("no document names the flag {flag}");
            complaints.push(Complaint::new("docs/README.md", 1, why));
        }
    }
    let unused = FLAGS_OF_OTHERS
        .iter()
        .filter(|(flag, _)| !flags.contains(*flag));
    complaints.extend(unused.map(|(flag, _)| {
        let why = format!("no document names {flag} any more: take it out of names.rs");
        Complaint::new("docs/README.md", 1, why)
    }));
    complaints
}

/// Code within sentences, and lines of commands.
fn code_of(parts: &Parts) -> Vec<(usize, &str)> {
    let spans = parts.spans.iter();
    let mut code: Vec<_> = spans.map(|span| (span.line, span.what.as_str())).collect();
    let consoles = parts
        .blocks
        .iter()
        .filter(|block| block.what.language() == "console");
    for block in consoles {
        let lines = block.what.text.lines().enumerate();
        let commands = lines.filter_map(|(n, line)| {
            let command = line
                .strip_prefix("$ ")
                .or_else(|| line.strip_prefix("> "))?;
            Some((block.line + n, command))
        });
        code.extend(commands);
    }
    code
}

fn wrong_in(code: &str, known: &Known) -> Vec<String> {
    let first = code.split_whitespace().next().unwrap_or_default();
    if first.starts_with("--") && first.len() > 2 {
        let flag = first.split(['=', '…']).next().unwrap_or_default();
        let flags = known.flags();
        let is_theirs = FLAGS_OF_OTHERS.iter().any(|(theirs, _)| *theirs == flag);
        if is_theirs || flags.contains(flag) {
            return Vec::new();
        }
        let near = did_you_mean(flag, flags);
        return vec![format!("no program takes the flag `{flag}`{near}")];
    }
    if OTHERS.contains(&first) && !code.contains("--bin") {
        return Vec::new();
    }
    mistakes(code, &known.programs)
}

/// The variables that a text names, with their lines.
fn variables_in(text: &str) -> Vec<(usize, &str)> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_ours = |word: &&str| {
        let begins = OURS.iter().any(|begin| word.starts_with(begin));
        !word.ends_with('_') && (begins || (word.ends_with("_URL") && word.len() > 4))
    };
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let words = line.split(|c| !is_part(c)).filter(is_ours);
        found.extend(words.map(|word| (n + 1, word)));
    }
    found
}
