//! What the documents say is so.

use super::complaint::{Complaint, assert_none};
use super::document::Documents;
use super::names::Known;
use super::tree::Tree;
use super::{data_blocks, languages, links, names, paths, tables};

/// What there is.
pub struct Existing {
    pub tree: Tree,
    pub known: Known,
}

impl Existing {
    pub fn read() -> Self {
        Self {
            tree: Tree::read(),
            known: Known::read(),
        }
    }

    /// All that is wrong with the documents, but for what their commands do.
    pub fn complaints(&self, documents: &Documents) -> Vec<Complaint> {
        let mut complaints = links::check(documents, &self.tree);
        complaints.extend(paths::check(documents, &self.tree));
        complaints.extend(names::check(documents, &self.known));
        complaints.extend(tables::check(documents, &self.tree));
        complaints.extend(languages::check(documents));
        complaints.extend(data_blocks::check(documents));
        complaints.sort();
        complaints
    }
}

#[test]
fn what_the_documents_say_is_so() {
    let existing = Existing::read();
    let documents = Documents::read(&existing.tree);
    assert_none(&existing.complaints(&documents));
}
