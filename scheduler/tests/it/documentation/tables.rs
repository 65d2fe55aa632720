//! Tables that list what the code defines: exit codes, states, and errors of a chunk.

use std::collections::BTreeSet;

use common::chunk::ChunkState;
use worker::exit::{SCHEDULER_CODES, WORKER_CODES};

use super::complaint::Complaint;
use super::document::{Documents, Placed};
use super::tree::Tree;

/// Pages that are made of the same lists, a program's or a part's each.
const GENERATED: &str = "docs/reference/";
/// Where what goes wrong with a chunk is put into words.
const ERRORS: [&str; 5] = [
    "worker/src/error.rs",
    "common/src/vendor/error.rs",
    "common/src/files/error.rs",
    "common/src/dbn_stream.rs",
    "common/src/store.rs",
];

/// What is wrong with tables.
pub fn check(documents: &Documents, tree: &Tree) -> Vec<Complaint> {
    let states = ChunkState::ALL.map(|state| state.name().to_owned());
    let lists = [
        ("exit code", exit_codes(), "no exit code of the program's"),
        ("chunk state", BTreeSet::from(states), "no state of a chunk"),
        ("error", errors(tree), "no error of the program's"),
    ];
    let mut complaints = Vec::new();
    for (head, known, none) in lists {
        let mut is_listed = false;
        let by_hand = documents.parts();
        for (path, parts) in by_hand.filter(|(path, _)| !path.starts_with(GENERATED)) {
            let tables = parts.tables.iter().filter(|table| first(&table[0]) == head);
            let tables: Vec<_> = tables.map(Vec::as_slice).collect();
            is_listed |= !tables.is_empty();
            let wrong = compare(&tables, &known, none).into_iter();
            complaints.extend(wrong.map(|(line, why)| Complaint::new(path, line, why)));
        }
        if !is_listed {
            let why = format!("no document has a table of each `{head}`");
            complaints.push(Complaint::new("docs/README.md", 1, why));
        }
    }
    complaints
}

type Row = Placed<Vec<String>>;

fn first(row: &Row) -> &str {
    row.what.first().map(String::as_str).unwrap_or_default()
}

/// One list may be several tables of a document.
fn compare(tables: &[&[Row]], known: &BTreeSet<String>, none: &str) -> Vec<(usize, String)> {
    let Some(head) = tables.first().map(|table| table[0].line) else {
        return Vec::new();
    };
    let rows: Vec<_> = tables.iter().flat_map(|table| &table[1..]).collect();
    let strange = rows.iter().filter(|row| !known.contains(first(row)));
    let strange = strange.map(|row| (row.line, format!("`{}` is {none}", first(row))));
    let is_missing = |name: &&String| rows.iter().all(|row| first(row) != **name);
    let missing = known.iter().filter(is_missing);
    let missing = missing.map(|name| (head, format!("this table has no row `{name}`")));
    strange.chain(missing).collect()
}

fn exit_codes() -> BTreeSet<String> {
    let codes = SCHEDULER_CODES.iter().chain(WORKER_CODES);
    codes.map(|(code, _)| code.to_string()).collect()
}

/// The words of each error, `…` standing for what differs.
fn errors(tree: &Tree) -> BTreeSet<String> {
    let mut errors = BTreeSet::new();
    for text in ERRORS.map(|path| tree.read_file(path)) {
        for after in text.split("#[error(").skip(1) {
            let Some(words) = after.trim_start().strip_prefix('"') else {
                continue;
            };
            let words = words.split('"').next().unwrap_or_default();
            errors.insert(without_values(words));
        }
    }
    // Those whose words are all another's.
    errors.remove("…");
    errors
}

fn without_values(words: &str) -> String {
    let mut plain = String::new();
    let mut within = false;
    for c in words.replace("\\\n", "").chars() {
        match c {
            '{' => {
                within = true;
                plain.push('…');
            }
            '}' => within = false,
            _ if within => {}
            _ => plain.push(c),
        }
    }
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").replace("……", "…")
}
