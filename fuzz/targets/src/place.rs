//! Where a refusal says that something is wrong: a place that is there.

use common::configuration::document::{Document, Refusal};

/// What a refused document is told: a line and a column of it, and words that can be shown.
pub fn assert_within(refusal: &Refusal, document: &Document) {
    assert_eq!(refusal.origin, document.origin);
    let shown = refusal.to_string();
    assert!(shown.starts_with(&refusal.message), "{shown}");
    let Some((line, column)) = refusal.place else {
        return;
    };
    let text = document.text.replace("\r\n", "\n");
    let lines: Vec<_> = text.split(['\n', '\r']).collect();
    // A file that ends too early is refused behind its last line.
    let index = usize::try_from(line).unwrap_or(usize::MAX);
    assert!(
        (1..=lines.len() + 1).contains(&index),
        "line {line}: {shown}"
    );
    let columns = lines.get(index - 1).map_or(0, |text| text.chars().count());
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    assert!(
        (1..=columns + 2).contains(&column),
        "column {column} of {columns}: {shown}"
    );
}

/// A text as a document; `None` where it is no text.
pub fn document(bytes: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(Document {
        origin: "input.yaml".to_owned(),
        text: text.to_owned(),
    })
}
