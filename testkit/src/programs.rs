//! Programs of the workspace, where cargo has put them.

use std::path::PathBuf;

/// A program of the workspace, which lies beside the folder of the tests.
///
/// # Panics
/// When it was not built, or before its sources were changed: cargo builds other packages' programs
/// only where it is asked to.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test.parent().and_then(|folder| folder.parent());
    let path = folder.expect("tests lie in `deps`").join(name);
    let cure =
        format!("build it with `cargo build --package {name}`, or run the whole workspace's tests");
    let Ok(when) = std::fs::metadata(&path).and_then(|file| file.modified()) else {
        panic!("{} is not built: {cure}", path.display());
    };
    // A run of the whole workspace's tests builds it and leaves no list of its sources.
    let inputs = std::fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let (_, inputs) = inputs.split_once(": ").unwrap_or_default();
    for input in inputs.split_whitespace() {
        let changed = std::fs::metadata(input).and_then(|file| file.modified());
        let is_older = changed.is_ok_and(|changed| changed <= when);
        assert!(is_older, "{} is older than {input}: {cure}", path.display());
    }
    path
}
