//! What the values of a mapping file look like, for its JSON Schema.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::rule::NAME_BYTES_MAX;
use crate::configuration::json_schema::{TEXT, record_schemas};

pub(super) fn schemas(_: &mut SchemaGenerator) -> Schema {
    let mut schemas = record_schemas(&["trades"]);
    schemas.insert("uniqueItems".to_owned(), true.into());
    schemas
}

pub(super) fn table(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": TEXT, "examples": ["trades_data"] })
}

pub(super) fn column(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": TEXT, "examples": ["price"] })
}

pub(super) fn rule(_: &mut SchemaGenerator) -> Schema {
    let pattern = format!("^[a-z0-9_]{{1,{NAME_BYTES_MAX}}}$");
    json_schema!({ "type": TEXT, "pattern": pattern, "examples": ["size_positive"] })
}

pub(super) fn check(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": TEXT, "pattern": r"\S", "examples": ["size > 0"] })
}

/// Any value but null, as it is written.
pub(super) struct Text;

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": TEXT })
    }
}

/// A decimal that is not 0.
pub(super) struct Factor;

impl JsonSchema for Factor {
    fn schema_name() -> Cow<'static, str> {
        "Factor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "not": { "const": 0 },
            "pattern": "^[-+]?[0-9._]+$",
            "examples": [0.01],
        })
    }
}

/// A column has a field, a value or an expression; what belongs to fields has no place beside the
/// others.
pub(super) fn one_source() -> Value {
    let not_both = |one: &str, other: &str| json!({ "not": { "required": [one, other] } });
    json!([
        not_both("field", "value"),
        not_both("field", "expression"),
        not_both("value", "expression"),
        not_both("value", "scale"),
        not_both("value", "default"),
        not_both("expression", "scale"),
        not_both("expression", "default"),
    ])
}
