//! A mapping's rules: named conditions over its columns, each with its severity.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::configuration::document::{Document, Refusal};
use crate::expression::{Column, Condition};
use crate::quality::Severity;

/// Rules of one schema: which of them a record fails is one word of bits.
pub const RULES_MAX: usize = 64;
/// The longest name of a rule.
const NAME_BYTES_MAX: usize = 63;

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
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    /// A name, for reports and for jobs that turn it on or off.
    name: Spanned<String>,
    /// An SQL condition over the columns.
    check: Spanned<String>,
    /// What becomes of a record that fails it.
    severity: Severity,
    /// Whether it is applied where a job does not say otherwise. Default true.
    #[serde(default = "enabled")]
    enabled: bool,
}

fn enabled() -> bool {
    true
}

/// Checks the rules of a mapping against its columns.
pub(super) fn check_rules(
    document: &Document,
    written: &[WrittenRule],
    columns: &[Column],
) -> Result<Vec<Rule>, Refusal> {
    let mut rules: Vec<Rule> = Vec::with_capacity(written.len());
    for rule in written {
        let name = &rule.name;
        if rules.iter().any(|earlier| *earlier.name == *name.value) {
            let message = format!("rule {:?} is written twice", name.value);
            return Err(document.refuse_at(name, message, "give one of the two another name"));
        }
        if rules.len() == RULES_MAX {
            let message = format!("a schema has at most {RULES_MAX} rules");
            let help = "join some of them with `and`";
            return Err(document.refuse_at(name, message, help));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.value.is_empty()
            || name.value.len() > NAME_BYTES_MAX
            || !name.value.bytes().all(plain)
        {
            let message = format!("{:?} can't name a rule", name.value);
            let help = "use 1 to 63 small letters, digits and `_`, for example bid_not_above_ask";
            return Err(document.refuse_at(name, message, help));
        }
        let condition = Condition::compile(&rule.check.value, columns).map_err(|error| {
            let message = format!("rule {:?}: {}", name.value, error.message);
            document.refuse_within(&rule.check, error.start..error.end, message, error.help)
        })?;
        rules.push(Rule {
            name: name.value.as_str().into(),
            severity: rule.severity,
            enabled: rule.enabled,
            text: rule.check.value.clone(),
            condition,
        });
    }
    Ok(rules)
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
