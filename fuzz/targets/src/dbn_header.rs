//! The header of a DBN file, compressed or not.

use std::path::Path;

use common::files::header::read_header;
use dbn::encode::dbn::MetadataEncoder;
use zstd::stream::encode_all;

/// A file's bytes; where the first is `z`, the rest in a compressed frame.
///
/// # Panics
/// When a header that was read is written and read again as another.
pub fn dbn_header(bytes: &[u8]) -> bool {
    let path = Path::new("input.dbn");
    let read = match bytes.strip_prefix(b"z") {
        Some(rest) => {
            let compressed = encode_all(rest, 1).expect("memory can be compressed");
            read_header(path, compressed.as_slice())
        }
        None => read_header(path, bytes),
    };
    let Ok(metadata) = read else {
        return false;
    };
    let mut written = Vec::new();
    // Not all that can be read can be written: names may be longer than they may be.
    if MetadataEncoder::new(&mut written).encode(&metadata).is_ok() {
        let again = read_header(path, written.as_slice());
        assert_eq!(again.as_ref().ok(), Some(&metadata), "{again:?}");
    }
    true
}
