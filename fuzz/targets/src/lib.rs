//! What reads foreign bytes, each as a function of bytes that asserts what has to hold for all of them:
//! it neither panics nor hangs, what it accepts can be written and read again the same, and what it
//! refuses names a place within the input. Each tells whether it accepted the input.
//!
//! They are called by cargo-fuzz (`fuzz/fuzz_targets`), and by the ordinary tests of this crate, which
//! replay the corpora (`fuzz/corpus`).

mod archive_manifest;
mod batch_lists;
mod dbn_header;
mod dbn_stream;
mod error_answers;
mod expression;
mod job_file;
mod mapping;
mod place;
mod settings;
mod vendor_answers;

pub use archive_manifest::archive_manifest;
pub use batch_lists::batch_lists;
pub use dbn_header::dbn_header;
pub use dbn_stream::dbn_stream;
pub use error_answers::error_answers;
pub use expression::expression;
pub use job_file::job_file;
pub use mapping::mapping;
pub use settings::settings;
pub use vendor_answers::vendor_answers;

/// A target: whether it accepts the bytes.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 10] = [
    ("archive_manifest", archive_manifest),
    ("batch_lists", batch_lists),
    ("dbn_header", dbn_header),
    ("dbn_stream", dbn_stream),
    ("error_answers", error_answers),
    ("expression", expression),
    ("job_file", job_file),
    ("mapping", mapping),
    ("settings", settings),
    ("vendor_answers", vendor_answers),
];
