//! A record as JSON: all its fields, exact, in the order of its layout.
//!
//! Undefined values are null. Prices are decimals and times RFC 3339 with nanoseconds, both as text:
//! a JSON number would lose digits in most readers. Ids of 64 bits are text as in the tables.

use common::price::Price;
use common::record_layout::{Field, FieldKind, RecordLayout};
use common::time::Nanos;
use serde_json::Value;

/// One record's fields.
#[must_use]
pub fn record_json(layout: &RecordLayout, record: &[u8]) -> String {
    let mut text = String::from("{");
    for field in &layout.fields {
        if text.len() > 1 {
            text.push(',');
        }
        let name = Value::from(field.name.as_str());
        let value = value(field, record);
        text.push_str(&format!("{name}:{value}"));
    }
    text.push('}');
    text
}

fn value(field: &Field, record: &[u8]) -> Value {
    let bytes = record.get(field.offset..).unwrap_or_default();
    match field.kind {
        FieldKind::Price => match i64::from_le_bytes(first(bytes)) {
            i64::MAX => Value::Null,
            price => Value::from(Price(price).to_string()),
        },
        FieldKind::Timestamp => match u64::from_le_bytes(first(bytes)) {
            u64::MAX => Value::Null,
            time => match i64::try_from(time) {
                Ok(time) => Value::from(Nanos(time).to_string()),
                Err(_) => Value::from(time),
            },
        },
        FieldKind::Unsigned {
            bytes: width,
            or_null,
        } => {
            let value = unsigned(bytes, width);
            let undefined = or_null && value == u64::MAX >> (64 - 8 * width.clamp(1, 8));
            if undefined {
                Value::Null
            } else {
                Value::from(value)
            }
        }
        FieldKind::Signed {
            bytes: width,
            or_null,
        } => {
            let value = signed(bytes, width);
            let undefined = or_null && value == i64::MAX >> (64 - 8 * width.clamp(1, 8));
            if undefined {
                Value::Null
            } else {
                Value::from(value)
            }
        }
        FieldKind::Id64 => Value::from(u64::from_le_bytes(first(bytes)).to_string()),
        FieldKind::Char => match bytes.first() {
            None | Some(0) => Value::Null,
            Some(code) => Value::from(char::from(*code).to_string()),
        },
        FieldKind::Text(length) => {
            let bytes = bytes.get(..length).unwrap_or(bytes);
            let end = bytes.iter().position(|byte| *byte == 0);
            let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
            if text.is_empty() {
                Value::Null
            } else {
                Value::from(text.as_ref())
            }
        }
    }
}

/// The first bytes, with zeros behind them where there are fewer.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut value = [0; N];
    for (to, from) in value.iter_mut().zip(bytes) {
        *to = *from;
    }
    value
}

fn unsigned(bytes: &[u8], width: usize) -> u64 {
    u64::from_le_bytes(first(bytes.get(..width).unwrap_or(bytes)))
}

fn signed(bytes: &[u8], width: usize) -> i64 {
    let unused = 64 - 8 * width.clamp(1, 8);
    // Shifted up and down again, the sign is that of the field.
    (unsigned(bytes, width) << unused).cast_signed() >> unused
}
