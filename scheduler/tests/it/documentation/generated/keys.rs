//! The keys of a YAML file in a table, from the file's JSON Schema.

use serde_json::{Map, Value};

use super::markdown::{code, one_of, sentence, table};

/// A table of the keys of an object: those that are required first.
pub(super) fn table_of(schema: &Value) -> String {
    let rows: Vec<_> = keys(schema)
        .iter()
        .map(|(name, key)| {
            [
                code(name),
                kind(key),
                default(schema, name, key),
                meaning(key),
                example(key),
            ]
        })
        .collect();
    table(["key", "type", "default", "meaning", "example"], &rows)
}

/// The keys of an object, those that are required first.
fn keys(schema: &Value) -> Vec<(&str, &Value)> {
    let keys = schema["properties"].as_object().unwrap();
    let required: Vec<_> = required(schema).collect();
    let first = required.iter().map(|name| (*name, &keys[*name]));
    let others = keys.iter().map(|(name, key)| (name.as_str(), key));
    first
        .chain(others.filter(|(name, _)| !required.contains(name)))
        .collect()
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema["required"].as_array();
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// What a key means.
pub(super) fn meaning(key: &Value) -> String {
    sentence(key["description"].as_str().unwrap())
}

fn default(schema: &Value, name: &str, key: &Value) -> String {
    match key.get("default") {
        _ if required(schema).any(|required| required == name) => "required".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "–".to_owned(),
        Some(Value::Object(keys)) if keys.is_empty() => "–".to_owned(),
        Some(default) => code(&yaml(default)),
        None => "–".to_owned(),
    }
}

fn example(key: &Value) -> String {
    let examples = key["examples"].as_array().into_iter().flatten();
    let examples: Vec<_> = examples.map(|example| code(&yaml(example))).collect();
    examples.join(", ")
}

/// A value as it is written on one line.
pub(super) fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(yaml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(keys) => {
            let keys: Vec<_> = keys
                .iter()
                .map(|(name, value)| format!("{name}: {}", yaml(value)))
                .collect();
            format!("{{{}}}", keys.join(", "))
        }
        Value::Number(number) => match number.as_f64() {
            // 30.0 is 30 to a reader.
            Some(whole) if whole.fract() == 0.0 => format!("{whole}"),
            _ => number.to_string(),
        },
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}

/// What a value looks like, in words.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(values) = enumerated(schema) {
        return one_of(&values);
    }
    if let Some(either) = schema["anyOf"].as_array() {
        // What may be null may be left out.
        return kind(&either[0]);
    }
    let types = types(schema);
    let is = |name: &str| types.contains(&name);
    if is("array") {
        let items = match types.len() {
            1 => kind(&schema["items"]),
            _ => format!("{}, or one alone", kind(&schema["items"])),
        };
        return format!("list of: {items}");
    }
    if is("object") {
        let Some(properties) = schema["properties"].as_object() else {
            return format!("names, each with {}", kind(&schema["additionalProperties"]));
        };
        return format!("keys {}", names(properties));
    }
    if schema["format"] == "date" {
        return "a day, YYYY-MM-DD".to_owned();
    }
    if is("boolean") && types.len() == 1 {
        return "`true` or `false`".to_owned();
    }
    match (is("boolean"), is("integer"), is("number")) {
        (false, true, _) => format!("whole number{}", bounds(schema)),
        (false, false, true) => format!("number{}", bounds(schema)),
        _ => "text".to_owned(),
    }
}

fn names(properties: &Map<String, Value>) -> String {
    let names: Vec<_> = properties.keys().map(|name| code(name)).collect();
    names.join(", ")
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::String(name) => vec![name],
        _ => Vec::new(),
    }
}

/// The words that a value can be; those that stand for `on` and `off` to some readers are left out.
fn enumerated(schema: &Value) -> Option<Vec<String>> {
    let of = |values: &Vec<Value>| {
        let words = values.iter().filter_map(Value::as_str);
        let words = words.filter(|word| !["true", "false"].contains(word));
        words.map(str::to_owned).collect()
    };
    if let Some(values) = schema["enum"].as_array() {
        return Some(of(values));
    }
    // Words with a description each.
    let each: Option<Vec<_>> = schema["oneOf"]
        .as_array()?
        .iter()
        .map(|one| one.get("const").cloned())
        .collect();
    each.map(|values| of(&values))
}

fn bounds(schema: &Value) -> String {
    let bound = |key: &str| {
        let value = schema.get(key)?;
        // Nobody writes as many as a number of 32 bits holds.
        let far = value.as_f64()?.abs() >= f64::from(i32::MAX);
        (!far).then(|| yaml(value))
    };
    let most = bound("maximum").map(|most| format!(" to {most}"));
    let below = bound("exclusiveMaximum").map(|below| format!(" to below {below}"));
    match (bound("minimum"), most.or(below)) {
        (Some(least), Some(most)) => format!(", {least}{most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, _) => String::new(),
    }
}
