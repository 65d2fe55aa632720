//! What people write is read strictly; what is wrong is refused with its place and what to write.

mod job_files;
mod overrides;
mod settings;
mod mappings;
mod shapes;

use common::configuration::document::Refusal;

/// The refusal's text shows all of these.
#[track_caller]
fn assert_shows(refusal: &Refusal, parts: &[&str]) {
    let text = refusal.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
