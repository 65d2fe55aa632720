//! Links: every file and heading that is linked to exists, and every document is linked to.

use std::collections::{BTreeMap, BTreeSet};

use super::complaint::{Complaint, did_you_mean};
use super::document::{Documents, Placed};
use super::tree::Tree;

/// Documents that people find by themselves.
const FRONT_PAGES: [&str; 1] = ["README.md"];

/// What is wrong with links.
pub fn check(documents: &Documents, tree: &Tree) -> Vec<Complaint> {
    let parts: BTreeMap<_, _> = documents.parts().collect();
    let anchors: BTreeMap<&str, Vec<&str>> = parts
        .iter()
        .map(|(path, parts)| (*path, texts(&parts.anchors)))
        .collect();
    let mut complaints = Vec::new();
    let mut linked = BTreeSet::from(FRONT_PAGES.map(str::to_owned));
    for (path, parts) in &parts {
        for link in &parts.links {
            match Target::of(path, &link.what) {
                Target::Elsewhere(wrong) => {
                    complaints.extend(wrong.map(|why| Complaint::new(path, link.line, why)));
                }
                Target::Here { file, anchor } => {
                    let wrong = mistake(&file, anchor, documents, tree, &anchors);
                    complaints.extend(wrong.map(|why| Complaint::new(path, link.line, why)));
                    linked.insert(file);
                }
            }
        }
    }
    let alone = parts.keys().filter(|path| !linked.contains(**path));
    let message = "no document links to this one: add it to docs/README.md";
    complaints.extend(alone.map(|path| Complaint::new(path, 1, message)));
    complaints
}

/// Where a link leads.
enum Target<'a> {
    /// Out of the project; what is wrong with its form.
    Elsewhere(Option<String>),
    Here {
        file: String,
        anchor: Option<&'a str>,
    },
}

impl<'a> Target<'a> {
    fn of(from: &str, link: &'a str) -> Self {
        if let Some((scheme, rest)) = link.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            let is_good = scheme == "https" && host.contains('.') && !link.contains(' ');
            let message = || format!("`{link}`: write an address as https://host/path");
            return Self::Elsewhere((!is_good).then(message));
        }
        let (file, anchor) = match link.split_once('#') {
            Some((file, anchor)) => (file, Some(anchor)),
            None => (link, None),
        };
        let file = match file {
            "" => from.to_owned(),
            file => joined(from, file),
        };
        Self::Here { file, anchor }
    }
}

fn mistake(
    file: &str,
    anchor: Option<&str>,
    documents: &Documents,
    tree: &Tree,
    anchors: &BTreeMap<&str, Vec<&str>>,
) -> Option<String> {
    if !documents.0.contains_key(file) && !tree.has(file) {
        let near = did_you_mean(file, tree.files.iter().map(String::as_str));
        return Some(format!("there is no file {file}{near}"));
    }
    let anchor = anchor?;
    let known = anchors.get(file).cloned().unwrap_or_default();
    if known.contains(&anchor) {
        return None;
    }
    let near = did_you_mean(anchor, known);
    Some(format!("there is no heading #{anchor} in {file}{near}"))
}

fn texts(placed: &[Placed<String>]) -> Vec<&str> {
    placed.iter().map(|placed| placed.what.as_str()).collect()
}

/// The path that a link in a document means, from the root.
fn joined(from: &str, link: &str) -> String {
    let mut folders: Vec<_> = from.split('/').collect();
    folders.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    folders.join("/")
}
