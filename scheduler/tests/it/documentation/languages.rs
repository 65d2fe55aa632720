//! The languages of blocks: each is one that is tried, or one that has a reason not to be.

use super::complaint::Complaint;
use super::document::Documents;

/// Those that are run or read by the program.
const TRIED: [&str; 4] = ["console", "yaml", "json", "sql"];

/// Those that can't be, and why.
const UNTRIED: [(&str, &str); 1] = [("text", "a picture, or a listing: there is nothing to run")];

/// What is wrong with languages.
pub fn check(documents: &Documents) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut unused = UNTRIED.map(|(language, _)| language).to_vec();
    for (path, parts) in documents.parts() {
        for block in &parts.blocks {
            let language = block.what.language();
            unused.retain(|known| *known != language);
            let known = TRIED.iter().chain(UNTRIED.iter().map(|(known, _)| known));
            if known.clone().all(|known| *known != language) {
                let known: Vec<_> = known.copied().collect();
                let why = format!(
                    "a block of `{language}`, which nobody tries; the languages are {}",
                    known.join(", ")
                );
                complaints.push(Complaint::new(path, block.line, why));
            }
        }
    }
    complaints.extend(unused.into_iter().map(|language| {
        let why = format!("no block is `{language}` any more: take it out of languages.rs");
        Complaint::new("docs/README.md", 1, why)
    }));
    complaints
}
