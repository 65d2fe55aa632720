//! What the values of a job file look like, for its JSON Schema: by the constants and defaults that
//! they are checked by.

use dbn::SType;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::check::{STYPE_IN_DEFAULT, STYPES_IN};
use crate::configuration::json_schema::{TEXT, record_schemas, whole};
use crate::request::{ChunkLength, Chunking, SYMBOLS_PER_REQUEST_MAX};

/// The characters of a symbol: neither a comma nor what can't be printed.
const PLAIN: &str = r"[^,\u0000-\u001f\u007f-\u009f]";
/// The same without the point, which divides a symbol's parts.
const ROOT: &str = r"[^.,\u0000-\u001f\u007f-\u009f]+";
/// What `stype_in` is when it is left out.
pub(super) const STYPE_IN: &str = STYPE_IN_DEFAULT.as_str();
/// What `source` is when it is left out.
pub(super) const SOURCE: &str = "vendor";
/// The longest symbol.
const SYMBOL_LENGTH_MAX: u32 = 70;

pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    let pattern = "^[A-Za-z0-9._-]{1,100}$";
    json_schema!({ "type": TEXT, "pattern": pattern, "examples": ["es-trades-2024q1"] })
}

pub(super) fn dataset(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": TEXT, "examples": ["GLBX.MDP3"] })
}

pub(super) fn schemas(_: &mut SchemaGenerator) -> Schema {
    record_schemas(&["trades", "ohlcv-1d"])
}

pub(super) fn symbols(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["array", "string"],
        "items": { "type": TEXT },
        "minItems": 1,
        "examples": [["ES.c.0", "CL.c.0"], "ALL_SYMBOLS"],
    })
}

pub(super) fn stype_in(_: &mut SchemaGenerator) -> Schema {
    let names = STYPES_IN.map(|stype| stype.as_str());
    json_schema!({ "enum": names })
}

pub(super) fn day(_: &mut SchemaGenerator) -> Schema {
    // The years that 64 bits of nanoseconds hold whole.
    let years = "(19[7-9][0-9]|2[01][0-9]{2}|22[0-5][0-9]|226[01])";
    json_schema!({
        "type": "string",
        "format": "date",
        "pattern": format!("^{years}-[0-9]{{2}}-[0-9]{{2}}$"),
        "examples": ["2024-01-31"],
    })
}

pub(super) fn chunking() -> Value {
    match Chunking::default().length {
        ChunkLength::Records(records) => json!({ "records": records }),
        ChunkLength::Days(days) => json!({ "days": days }),
    }
}

pub(super) fn records(_: &mut SchemaGenerator) -> Schema {
    whole(1, u64::MAX)
}

pub(super) fn chunk_days(_: &mut SchemaGenerator) -> Schema {
    whole(1, u32::MAX)
}

pub(super) fn chunk_symbols(_: &mut SchemaGenerator) -> Schema {
    whole(1, SYMBOLS_PER_REQUEST_MAX)
}

pub(super) fn chunk_symbols_default() -> Value {
    Chunking::default().symbols_max.into()
}

pub(super) fn priority(_: &mut SchemaGenerator) -> Schema {
    whole(i32::MIN, i32::MAX)
}

pub(super) fn rules(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        // To some readers of YAML `on` is a text, to others it is true.
        "additionalProperties": { "enum": ["on", "off", true, false, "true", "false"] },
        "examples": [{ "not_from_the_future": "on" }],
    })
}

pub(super) fn source(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": [SOURCE, "files"] })
}

pub(super) fn folder(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": TEXT, "minLength": 1, "examples": ["downloads"] })
}

/// What one key says of another: how symbols are written by `stype_in`, and `source` and `folder`.
pub(super) fn between_keys() -> Value {
    let mut rules: Vec<Value> = STYPES_IN.into_iter().map(symbols_of).collect();
    rules.push(json!({
        "if": { "properties": { "source": { "const": "files" } }, "required": ["source"] },
        "then": { "required": ["folder"] },
        "else": { "not": { "required": ["folder"] } },
    }));
    // Every instrument is asked for alone.
    rules.push(json!({
        "if": { "properties": { "symbols": { "type": "array", "contains": { "const": "ALL_SYMBOLS" } } } },
        "then": { "properties": { "symbols": { "maxItems": 1 } } },
    }));
    rules.into()
}

fn symbols_of(stype: SType) -> Value {
    let (kinds, form) = match stype {
        SType::Continuous => (json!("string"), format!("{ROOT}\\.[cvn]\\.[0-9]+")),
        SType::Parent => (json!("string"), format!("{ROOT}\\.(FUT|OPT|SPOT)")),
        SType::InstrumentId => (json!(["integer", "string"]), "[0-9]+".to_owned()),
        _ => (json!(TEXT), format!("{PLAIN}+")),
    };
    let pattern = format!("^(ALL_SYMBOLS|{form})$");
    let mut symbol = json!({ "type": kinds, "maxLength": SYMBOL_LENGTH_MAX, "pattern": pattern });
    if stype == SType::InstrumentId {
        symbol["minimum"] = 0.into();
        symbol["maximum"] = u32::MAX.into();
    }
    let mut asked = json!({ "properties": { "stype_in": { "const": stype.as_str() } } });
    if stype != STYPE_IN_DEFAULT {
        asked["required"] = json!(["stype_in"]);
    }
    // A bare word is one symbol.
    let list = json!({
        "items": symbol,
        "maxLength": SYMBOL_LENGTH_MAX,
        "pattern": pattern,
    });
    json!({ "if": asked, "then": { "properties": { "symbols": list } } })
}
