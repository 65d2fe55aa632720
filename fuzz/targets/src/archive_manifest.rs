//! The manifest of an archived stream.

use common::archive::Manifest;

/// A file that says it is a manifest.
///
/// # Panics
/// When a manifest that was read is written and read again as another.
pub fn archive_manifest(bytes: &[u8]) -> bool {
    let Some(manifest) = Manifest::read(bytes) else {
        return false;
    };
    let written = serde_json::to_vec_pretty(&manifest).expect("what was read can be written");
    assert_eq!(Manifest::read(&written), Some(manifest));
    true
}
