//! Mapping files, with their rules.

use common::configuration::mapping::Mappings;

use crate::place::{assert_within, document};

/// A mapping file's text.
///
/// # Panics
/// When a rule or a column rests on a column that isn't there, a second reading comes out
/// otherwise, or a refusal names a place that isn't there.
pub fn mapping(bytes: &[u8]) -> bool {
    let Some(document) = document(bytes) else {
        return false;
    };
    let read = Mappings::parse(document.clone());
    for refusal in &read.refusals {
        assert_within(refusal, &document);
    }
    assert!(read.all_read || !read.refusals.is_empty());
    for mapping in &read.mappings {
        let columns = mapping.columns.len();
        for rule in &mapping.rules {
            assert!(
                rule.condition
                    .columns()
                    .iter()
                    .all(|column| *column < columns)
            );
        }
        assert!(mapping.is_whole() || !read.refusals.is_empty());
    }
    let again = Mappings::parse(document);
    assert_eq!(format!("{again:?}"), format!("{read:?}"));
    read.refusals.is_empty() && !read.mappings.is_empty()
}
