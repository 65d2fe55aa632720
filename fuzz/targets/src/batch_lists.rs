//! The lists that lie beside the files of a batch download.

use std::path::Path;

use common::files::batch::{Manifest, Query, pending_in};
use common::files::symbology::Symbology;
use serde_json::json;

/// Which list, by the first byte, and its text.
///
/// # Panics
/// When what a list says comes out otherwise when it is written and read again.
pub fn batch_lists(bytes: &[u8]) -> bool {
    let [list, text @ ..] = bytes else {
        return false;
    };
    match list % 4 {
        0 => manifest(text),
        1 => query(text),
        2 => pending(text),
        _ => symbology(text),
    }
}

fn manifest(text: &[u8]) -> bool {
    let Ok(manifest) = Manifest::parse(Path::new("manifest.json"), text) else {
        return false;
    };
    for name in ["metadata.json", "a.dbn.zst", ""] {
        let digest = manifest.sha256(Path::new(name));
        let is_digest = |digest: &String| {
            let digits = digest.bytes();
            digest.len() == 64
                && digits
                    .clone()
                    .all(|digit| b"0123456789abcdef".contains(&digit))
        };
        assert!(digest.iter().all(is_digest), "{digest:?}");
        assert!(digest.is_none() || manifest.lists(Path::new(name)));
    }
    true
}

fn query(text: &[u8]) -> bool {
    let path = Path::new("metadata.json");
    let files = Manifest::parse(path, br#"{"files": []}"#).expect("it is a list");
    let Ok(Some(query)) = Query::parse(path, text, &files) else {
        return false;
    };
    assert!(query.span.start < query.span.end);
    let written = json!({"query": {
        "encoding": "dbn",
        "dataset": query.dataset,
        "schema": query.schema.as_str(),
        "stype_in": query.stype_in.as_str(),
        "symbols": query.symbols,
        "start": query.span.start,
        "end": query.span.end,
        "limit": query.limited.then_some(1),
    }});
    let again = Query::parse(path, written.to_string().as_bytes(), &files);
    assert_eq!(again.ok(), Some(Some(query)));
    true
}

fn pending(text: &[u8]) -> bool {
    let Ok(days) = pending_in(Path::new("condition.json"), text) else {
        return false;
    };
    for span in days {
        assert_eq!(
            span.whole_days().map(|days| (days.span(), days.len_days())),
            Some((span, 1))
        );
    }
    true
}

fn symbology(text: &[u8]) -> bool {
    let path = Path::new("symbology.json");
    let Ok(Some(symbology)) = Symbology::parse(path, text) else {
        return false;
    };
    let windows = symbology.windows.iter().map(|(symbol, windows)| {
        let windows = windows.iter().map(|window| {
            json!({"d0": window.days.start(), "d1": window.days.end(), "s": window.instrument_id})
        });
        (symbol.clone(), windows.collect())
    });
    let result: serde_json::Map<_, _> = windows.collect();
    let written = json!({
        "result": result,
        "symbols": symbology.symbols,
        "stype_in": symbology.stype_in.as_str(),
        "stype_out": "instrument_id",
        "start_date": symbology.days.start(),
        "end_date": symbology.days.end(),
    });
    let again = Symbology::parse(path, written.to_string().as_bytes());
    assert_eq!(again.ok(), Some(Some(symbology)));
    true
}
