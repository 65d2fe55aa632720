//! The independent reading: records of DBN files as the vendor's library writes them as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::time::Nanos;
use dbn::decode::{DbnMetadata, DecodeRecordRef, DynDecoder};
use dbn::encode::{EncodeRecordRef, json};
use dbn::{Record, Schema};
use serde_json::Value;

use super::Cells;

const UNDEFINED_TIME: &str = "18446744073709551615";

/// A record: its index time, and its fields as the library writes them.
#[derive(Clone, Debug)]
pub struct Expected {
    pub index_time: u64,
    pub fields: BTreeMap<String, Value>,
}

/// The schema of a file and its records, in the order of index time, else as they stand.
pub fn read(path: &Path) -> (Schema, Vec<Expected>) {
    let policy = dbn::VersionUpgradePolicy::UpgradeToV3;
    let mut decoder = DynDecoder::from_file(path, policy).unwrap();
    let schema = decoder.metadata().schema.unwrap();
    let mut records = Vec::new();
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        let mut text = Vec::new();
        let mut encoder = json::Encoder::new(&mut text, false, true, false);
        encoder.encode_record_ref(record).unwrap();
        let mut fields = BTreeMap::new();
        flatten(serde_json::from_slice(&text).unwrap(), &mut fields);
        records.push(Expected {
            index_time: record.raw_index_ts(),
            fields,
        });
    }
    records.sort_by_key(|record| record.index_time);
    (schema, records)
}

/// All archived streams of an installation, by schema.
pub fn archived(folder: &Path) -> BTreeMap<Schema, Vec<Expected>> {
    let mut all: BTreeMap<Schema, Vec<Expected>> = BTreeMap::new();
    for path in files(folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".dbn.zst") {
            let (schema, records) = read(&path);
            all.entry(schema).or_default().extend(records);
        }
    }
    for records in all.values_mut() {
        records.sort_by_key(|record| record.index_time);
    }
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Nested objects as one, by the columns' names: `levels[0].bid_px` is `bid_px_00`.
fn flatten(value: Value, fields: &mut BTreeMap<String, Value>) {
    let Value::Object(object) = value else {
        panic!("{value}")
    };
    for (name, value) in object {
        match (name.as_str(), value) {
            ("hd", header) => flatten(header, fields),
            ("levels", Value::Array(levels)) => {
                for (number, level) in levels.into_iter().enumerate() {
                    let mut of_level = BTreeMap::new();
                    flatten(level, &mut of_level);
                    let named = of_level.into_iter();
                    fields
                        .extend(named.map(|(name, value)| (format!("{name}_{number:02}"), value)));
                }
            }
            ("open" | "high" | "low" | "close", price) => {
                fields.insert(format!("{name}_price"), price);
            }
            ("group", text) => {
                fields.insert("security_group".to_owned(), text);
            }
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}

/// Asserts that rows are these records, each column of each, in this order.
pub fn assert_are(rows: &[Cells], records: &[Expected], what: &str) {
    assert_eq!(rows.len(), records.len(), "{what}");
    for (row, record) in rows.iter().zip(records) {
        for (name, cell) in row {
            assert!(
                agrees(name, cell.as_deref(), record),
                "{what}: {name}: {row:#?}\n{record:#?}"
            );
        }
        // No field is left out, but for what a table doesn't have.
        let missing = record.fields.keys().filter(|name| !row.contains_key(*name));
        let missing: BTreeSet<&str> = missing.map(String::as_str).collect();
        let known = ["rtype", "length", "ts_out", "levels"];
        let missing: Vec<_> = missing
            .into_iter()
            .filter(|name| !known.contains(name))
            .collect();
        assert_eq!(missing, Vec::<&str>::new(), "{what}");
    }
}

fn agrees(name: &str, cell: Option<&str>, record: &Expected) -> bool {
    if ["symbol", "granularity"].contains(&name) {
        return cell.is_some_and(|cell| !cell.is_empty());
    }
    let Some(field) = record.fields.get(name) else {
        return false;
    };
    match (cell, field) {
        (None, Value::Null) => true,
        // Numbers of 64 bits are texts, and so are times.
        (None, Value::String(text)) => {
            text.is_empty()
                || text == "\0"
                || text == UNDEFINED_TIME
                || text.parse().is_ok_and(is_undefined)
        }
        (None, Value::Number(number)) => is_undefined(number.as_i64().unwrap()),
        (Some(cell), Value::Number(number)) => cell == number.to_string(),
        (Some(cell), Value::String(text)) => match Nanos::exact(cell) {
            Ok(time) => time.0.to_string() == *text,
            Err(_) => cell == shortened(text),
        },
        _ => false,
    }
}

/// What the vendor writes where a number is undefined: the largest of its type.
fn is_undefined(number: i64) -> bool {
    [
        i64::from(u8::MAX),
        i64::from(u16::MAX),
        i64::from(u32::MAX),
        i64::from(i8::MAX),
        i64::from(i16::MAX),
        i64::from(i32::MAX),
        i64::MAX,
    ]
    .contains(&number)
}

/// A price without the zeros at its end; any other text as it is.
fn shortened(text: &str) -> &str {
    let decimals = text.rsplit_once('.').map_or("", |(_, decimals)| decimals);
    let price = decimals.len() == 9 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    match price {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}
