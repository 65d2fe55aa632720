//! A mapping's rules: named conditions over its columns, each with its severity.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::mentions;
#[cfg(feature = "json-schema")]
use super::shape;
use crate::configuration::document::{Document, Refusal};
use crate::expression::{Column, Condition};
use crate::quality::{Severity, VALUE_FITS_COLUMN};

/// Rules of one schema: which of them a record fails is one word of bits.
pub const RULES_MAX: usize = 64;
/// The longest name of a rule.
pub(super) const NAME_BYTES_MAX: usize = 63;

/// A condition that records are held to. It fails only where it is false.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// What becomes of a record that fails it.
    pub severity: Severity,
    /// Whether it is applied where a job does not say otherwise.
    pub enabled: bool,
    /// The condition as it is written.
    pub text: String,
    /// The condition.
    pub condition: Condition,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    /// A name, for reports and for jobs that turn it on or off: small letters, digits and `_`.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::rule"))]
    name: Spanned<String>,
    /// An SQL condition over the columns. A row fails it only where it is false.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::check"))]
    check: Option<Spanned<String>>,
    /// What becomes of a record that fails it.
    #[cfg_attr(feature = "json-schema", schemars(required))]
    severity: Option<Severity>,
    /// Whether it is applied where a job does not say otherwise.
    #[serde(default = "enabled")]
    enabled: bool,
}

fn enabled() -> bool {
    true
}

/// Checks the rules of a mapping against its columns, all of them. `refused` are the columns that were
/// refused, to which refused rules are added: what rests on one of them is told once it is mended.
pub(super) fn check_rules(
    document: &Document,
    written: &[WrittenRule],
    columns: &[Column],
    refused: &mut Vec<String>,
) -> (Vec<Rule>, Vec<Refusal>) {
    let (mut rules, mut refusals) = (Vec::with_capacity(written.len()), Vec::new());
    if let Some(beyond) = written.get(RULES_MAX) {
        let message = format!("a schema has at most {RULES_MAX} rules");
        let help = "join some of them with `and`";
        refusals.push(document.refuse_at(&beyond.name, message, help));
    }
    let refused_columns = refused.clone();
    for (index, rule) in written.iter().enumerate() {
        let before = written.get(..index).unwrap_or_default();
        match check_rule(document, rule, before, columns, &refused_columns) {
            Ok(rule) => rules.push(rule),
            Err(refusal) => {
                refusals.extend(refusal);
                refused.push(rule.name.value.clone());
            }
        }
    }
    (rules, refusals)
}

/// One rule; refused without a word where it rests on a refused column.
fn check_rule(
    document: &Document,
    rule: &WrittenRule,
    before: &[WrittenRule],
    columns: &[Column],
    refused_columns: &[String],
) -> Result<Rule, Option<Refusal>> {
    let name = &rule.name;
    if before
        .iter()
        .any(|earlier| earlier.name.value == name.value)
    {
        let message = format!("rule {:?} is written twice", name.value);
        let help = "give one of the two another name";
        return Err(Some(document.refuse_at(name, message, help)));
    }
    if name.value == VALUE_FITS_COLUMN {
        let message = format!("{VALUE_FITS_COLUMN:?} is the rule that always applies");
        return Err(Some(document.refuse_at(
            name,
            message,
            "give it another name",
        )));
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.value.is_empty() || name.value.len() > NAME_BYTES_MAX || !name.value.bytes().all(plain)
    {
        let message = format!("{:?} can't name a rule", name.value);
        let help = "use 1 to 63 small letters, digits and `_`, for example bid_not_above_ask";
        return Err(Some(document.refuse_at(name, message, help)));
    }
    let check = rule.check.as_ref();
    let Some(check) = check.filter(|check| !check.value.trim().is_empty()) else {
        let message = format!("rule {:?} has no check", name.value);
        let help = "write a condition over the columns, for example `check: size > 0`";
        return Err(Some(document.refuse_at(name, message, help)));
    };
    let Some(severity) = rule.severity else {
        let message = format!("rule {:?} has no severity", name.value);
        let help = "write `severity: error`, `warning` or `info`";
        return Err(Some(document.refuse_at(name, message, help)));
    };
    if mentions(&check.value, refused_columns) {
        return Err(None);
    }
    let condition = Condition::compile(&check.value, columns).map_err(|error| {
        let message = format!("rule {:?}: {}", name.value, error.message);
        document.refuse_within(check, error.start..error.end, message, error.help)
    })?;
    Ok(Rule {
        name: name.value.as_str().into(),
        severity,
        enabled: rule.enabled,
        text: check.value.clone(),
        condition,
    })
}

/// The rules that a job applies: those that are enabled, but for what it turns on or off.
pub fn applied<'a>(
    rules: &'a [Rule],
    switches: &'a BTreeMap<String, bool>,
) -> impl Iterator<Item = &'a Rule> {
    rules
        .iter()
        .filter(|rule| *switches.get(&*rule.name).unwrap_or(&rule.enabled))
}
