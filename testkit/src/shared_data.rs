//! Real market data beside the project, where it is.

use std::path::PathBuf;

/// The folder of real data, or `None` with a printed line: it is licensed, and not part of the
/// project.
#[must_use]
pub fn shared_data() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no real data at ../shared/data");
    None
}
