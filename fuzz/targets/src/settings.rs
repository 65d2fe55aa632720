//! Settings: a file's text, and variables of the environment.

use common::configuration::document::Document;
use common::configuration::settings::Settings;

use crate::place::{assert_within, document};

/// A settings file's text; where the first byte is `$`, variables instead, one a line.
///
/// # Panics
/// When accepted settings are out of their ranges or show an address, or a refusal names a place
/// that isn't there.
pub fn settings(bytes: &[u8]) -> bool {
    let Some(document) = document(bytes) else {
        return false;
    };
    let settings = match document.text.strip_prefix('$') {
        Some(variables) => {
            let variables = variables.lines().filter_map(|line| line.split_once('='));
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Settings::of(None, variables)
        }
        None => Settings::of(Some(&document), []),
    };
    match settings {
        Err(refusal) => {
            assert_told(&refusal, &document);
            false
        }
        Ok(settings) => {
            assert!(settings.slots() >= 1 && settings.attempts_max >= 1);
            let lease = settings.lease().as_secs_f64();
            assert!((0.001..1e9).contains(&lease), "{lease}");
            assert_eq!(format!("{settings:?}"), "Settings { .. }");
            // An address or a key that can't be used is refused where it is needed.
            drop((settings.require_api_key(), settings.require_redis_url()));
            true
        }
    }
}

fn assert_told(refusal: &common::configuration::document::Refusal, document: &Document) {
    if refusal.place.is_some() {
        assert_within(refusal, document);
    }
    assert!(!refusal.to_string().is_empty());
}
