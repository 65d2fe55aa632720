//! Paths and items of the code that documents name: each is there.

use super::complaint::{Complaint, did_you_mean};
use super::document::Documents;
use super::tree::Tree;

/// What looks like a path of ours and is none.
const EXAMPLES: [&str; 3] = ["foo/", "foo.rs", "mod.rs"];

/// What is wrong with them.
pub fn check(documents: &Documents, tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut unused: Vec<_> = EXAMPLES.to_vec();
    for (path, parts) in documents.parts() {
        for span in &parts.spans {
            unused.retain(|example| *example != span.what);
            let named = if is_for_contributors(path) {
                named_in_code(&span.what)
            } else {
                named_by_operators(&span.what, tree)
            };
            let wrong = named.and_then(|named| named.mistake(tree));
            complaints.extend(wrong.map(|why| Complaint::new(path, span.line, why)));
        }
    }
    let stale = unused.iter().map(|example| {
        let why =
            format!("no document has the example `{example}` any more: take it out of paths.rs");
        Complaint::new("CONTRIBUTING.md", 1, why)
    });
    complaints.extend(stale);
    complaints
}

/// What a span names.
enum Named<'a> {
    Path(&'a str),
    Item(&'a str),
}

fn is_for_contributors(path: &str) -> bool {
    ["CONTRIBUTING.md", "ARCHITECTURE.md"].contains(&path) || path.starts_with("docs/contributing/")
}

fn named_in_code(span: &str) -> Option<Named<'_>> {
    // What lies beside the project is no part of it.
    if EXAMPLES.contains(&span) || span.starts_with("../") {
        return None;
    }
    let is_item = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '!');
    if span.contains("::") && span.chars().all(is_item) {
        return Some(Named::Item(span));
    }
    let has_ending = [".rs", ".md", ".toml", ".yaml", ".lua", ".sql"]
        .iter()
        .any(|ending| span.ends_with(ending));
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_-./{},*".contains(c);
    let looks = (span.contains('/') || has_ending) && span.chars().all(is_path);
    looks.then_some(Named::Path(span))
}

/// Operators are shown paths of their own too; those below a folder of the project are meant to be
/// there.
fn named_by_operators<'a>(span: &'a str, tree: &Tree) -> Option<Named<'a>> {
    let (folder, _) = span.split_once('/')?;
    let is_ours = !folder.is_empty() && !folder.starts_with('.') && tree.has(folder);
    match named_in_code(span) {
        Some(named @ Named::Path(_)) if is_ours => Some(named),
        _ => None,
    }
}

impl Named<'_> {
    fn mistake(&self, tree: &Tree) -> Option<String> {
        match self {
            Self::Item(item) => {
                let last = item.rsplit("::").next().unwrap_or_default();
                let last = last.trim_end_matches('!');
                let is_known = tree.has_word(last);
                (!is_known).then(|| format!("no source has `{last}` of `{item}`"))
            }
            Self::Path(path) => {
                let wrong = alternatives(path)
                    .into_iter()
                    .find(|path| !is_there(path, tree))?;
                let near = did_you_mean(&wrong, tree.files.iter().map(String::as_str));
                Some(format!("there is no `{wrong}` in the project{near}"))
            }
        }
    }
}

/// Sources are also named without their ending, and by the end of their path.
fn is_there(path: &str, tree: &Tree) -> bool {
    if let Some((folder, ending)) = path.split_once("*") {
        let is_it = |file: &String| file.contains(folder) && file.ends_with(ending);
        return tree.files.iter().any(is_it);
    }
    tree.has_ending(path) || tree.has_ending(&format!("{path}.rs"))
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn alternatives(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let Some((within, after)) = rest.split_once('}') else {
        return vec![path.to_owned()];
    };
    let each = within.split(',');
    each.map(|one| format!("{before}{one}{after}")).collect()
}
