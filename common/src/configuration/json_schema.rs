//! JSON Schemas of what people write, made from the types that read it: for editors, and for the
//! reference pages.
//!
//! A value is described as readers of YAML tell it to an editor: what is a text to us, `25.00` or `ON`,
//! may be a number or a truth value to them, and a number with underscores is a text.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::request::SCHEMAS;

/// What an editor may take a text for that is not in quotes.
pub(super) const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// The schema of job files.
#[must_use]
pub fn job_file() -> Value {
    schema_of::<super::job_file::Written>("Job")
}

/// The schema of the files in `configs/schemas/`.
#[must_use]
pub fn mapping() -> Value {
    schema_of::<super::mapping::Written>("Mapping and rules")
}

/// The schema of `configs/backhaul.yaml`.
#[must_use]
pub fn settings() -> Value {
    schema_of::<super::settings::Settings>("Settings")
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    schema["title"] = title.into();
    tidy(&mut schema);
    schema
}

/// Leaves out defaults that say no more than that a key can be left out, and the lines that comments
/// are broken into.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if keys.get("default").is_some_and(Value::is_null) {
                keys.remove("default");
            }
            if let Some(Value::String(text)) = keys.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            keys.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A list of the kinds of records.
pub(super) fn record_schemas(example: &[&str]) -> Schema {
    let names = SCHEMAS.map(|schema| schema.as_str());
    json_schema!({
        "type": "array",
        "items": { "enum": names },
        "minItems": 1,
        "examples": [example],
    })
}

/// A whole number within bounds; as a text it may have underscores.
pub(super) fn whole(least: impl Into<Value>, most: impl Into<Value>) -> Schema {
    let least = least.into();
    let sign = match least.as_u64() {
        Some(_) => "[+]?",
        None => "[-+]?",
    };
    json_schema!({
        "type": ["integer", "string"],
        "minimum": least,
        "maximum": most.into(),
        "pattern": format!("^{sign}[0-9][0-9A-Fa-f_xXoO]*$"),
    })
}

/// A number of at least `least`.
pub(super) fn real(least: f64) -> Schema {
    let pattern = r"^[+]?[0-9.][0-9.]*([eE][-+]?[0-9]+)?$";
    json_schema!({ "type": ["number", "string"], "minimum": least, "pattern": pattern })
}

/// An amount of dollars.
pub(super) fn dollars(_: &mut SchemaGenerator) -> Schema {
    let mut schema = decimal();
    schema.insert("examples".to_owned(), json!([12.5]));
    schema
}

/// A percentage.
pub(super) fn percent(_: &mut SchemaGenerator) -> Schema {
    let mut schema = decimal();
    schema.insert("maximum".to_owned(), 100.into());
    schema.insert("examples".to_owned(), json!([0.5]));
    schema
}

fn decimal() -> Schema {
    let pattern = r"^\s*[+]?[0-9._]+\s*$";
    json_schema!({ "type": ["number", "string"], "minimum": 0, "pattern": pattern })
}
