//! A mapping's version: a short name for what it means, by which rows of another one are known.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use sha2::{Digest, Sha256};

use super::column::WrittenColumn;
use super::rule::{Rule, applied};
use super::{ColumnType, Mapping};

/// The number of what a version is made of: it changes where the same words come to mean other rows.
const VERSION_FORMAT: u32 = 1;
/// Hexadecimal digits of a version: enough to tell a few hundred apart.
const VERSION_DIGITS: usize = 16;

impl Mapping {
    /// The mapping's version as a job applies it: another mapping, or other rules, have another.
    #[must_use]
    pub fn version(&self, switches: &BTreeMap<String, bool>) -> String {
        let mut text = format!("{VERSION_FORMAT} {} {}\n", self.schema, self.table);
        for column in &self.columns {
            text.push_str(&column.meaning);
            text.push('\n');
        }
        for rule in applied(&self.rules, switches) {
            let Rule {
                name,
                severity,
                text: check,
                ..
            } = rule;
            text.push_str(&format!("{name} {severity} {check}\n"));
        }
        let digest = Sha256::digest(text.as_bytes());
        crate::hex(&digest)[..VERSION_DIGITS].to_owned()
    }
}

/// What a column means as it is written, with what is left out filled in: no two meanings have one
/// text, and how the program keeps them is not in it.
pub(super) fn meaning(column: &WrittenColumn, column_type: ColumnType) -> String {
    let text = |written: &Option<Spanned<String>>| written.as_ref().map(|it| it.value.clone());
    let (value, expression) = (text(&column.value), text(&column.expression));
    let field = match (&value, &expression) {
        (None, None) => text(&column.field).or_else(|| Some(column.name.value.clone())),
        _ => None,
    };
    serde_json::json!([
        column.name.value,
        column_type.name(),
        field,
        text(&column.scale),
        text(&column.default),
        value,
        expression,
    ])
    .to_string()
}
