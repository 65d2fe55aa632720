//! The layout's rules that no other tool knows: a first sentence for each file, and a length that
//! can be read in one go.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines above which a source file has become two.
const LINES_MAX: usize = 600;

/// Checks every Rust file of the workspace.
pub fn check(root: &Path) -> Result<(), String> {
    println!("── tidy");
    let mut files = Vec::new();
    collect(root, &mut files).map_err(|error| format!("the sources can't be read: {error}"))?;
    let mut complaints = Vec::new();
    for file in &files {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).display();
        if !text.starts_with("//! ") {
            complaints.push(format!(
                "{name}: begin with a `//!` sentence that says what it is for"
            ));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{name}: {lines} lines; make two files of it"));
        }
        if file.ends_with("mod.rs") {
            complaints.push(format!("{name}: name the file after its folder, beside it"));
        }
    }
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints.join("\n"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "data", "node_modules"].contains(&name) {
                collect(&path, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    Ok(())
}
