//! The project's tree: which files there are, and what the sources hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The project's files.
pub struct Tree {
    root: PathBuf,
    /// By their paths from the root.
    pub files: BTreeSet<String>,
    /// The text of all sources.
    sources: String,
}

impl Tree {
    /// What there is, without what is built, and what hides.
    pub fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut tree = Self {
            root: root.to_owned(),
            files: BTreeSet::new(),
            sources: String::new(),
        };
        tree.collect(root);
        // What these tests themselves hold is no part of what documents speak of.
        let is_source = |path: &&String| path.ends_with(".rs") && !path.contains("/documentation/");
        let sources = tree.files.iter().filter(is_source);
        tree.sources = sources.map(|path| tree.read_file(path)).collect();
        tree
    }

    /// A file's text.
    pub fn read_file(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Whether a file or a folder is there.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains(path)
            || self.files.iter().any(|file| file.starts_with(&folder))
    }

    /// Whether a path that begins somewhere within the tree leads to a file or a folder.
    pub fn has_ending(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let (middle, end) = (format!("/{path}/"), format!("/{path}"));
        let is_it = |file: &String| file.ends_with(&end) || file.contains(&middle);
        self.has(path) || self.files.iter().any(is_it)
    }

    /// Whether a source has this word.
    pub fn has_word(&self, word: &str) -> bool {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.sources.match_indices(word).any(|(at, _)| {
            let (before, after) = (&self.sources[..at], &self.sources[at + word.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    }

    fn collect(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let shown = !name.starts_with('.') || [".config", ".cargo", ".ci"].contains(&name);
            if path.is_dir() {
                if shown && !["target", "data"].contains(&name) {
                    self.collect(&path);
                }
            } else {
                let path = path.strip_prefix(&self.root).unwrap();
                self.files.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
}
