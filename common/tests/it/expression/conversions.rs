//! Values kept as another type: exactly, or refused with the row and the value.

use std::sync::Arc;

use common::expression::{Value, ValueType, convert, convertible};
use common::price::Price;
use common::store::rows::{ColumnValues, NULL};
use common::time::Nanos;

use super::{INTEGER, PRICE, inputs, trades};

fn integers(values: &[i64]) -> ColumnValues {
    ColumnValues::Integers(values.to_vec())
}

fn texts(values: &[Option<&str>]) -> ColumnValues {
    let values = values.iter().map(|text| text.map(Arc::from));
    ColumnValues::Texts(values.collect())
}

#[test]
fn numbers_change_their_decimals_when_that_is_exact() {
    let prices = integers(&[2_000_000_000, NULL, -3_000_000_000]);
    assert_eq!(
        convert(prices.clone(), PRICE, INTEGER),
        Ok(integers(&[2, NULL, -3]))
    );
    assert_eq!(
        convert(integers(&[2, NULL, -3]), INTEGER, PRICE),
        Ok(prices)
    );
    let same = convert(
        ColumnValues::SameInteger(7),
        INTEGER,
        ValueType::Number { scale: 2 },
    );
    assert_eq!(same, Ok(ColumnValues::SameInteger(700)));

    let error = convert(integers(&[0, NULL, 1_500_000_000]), PRICE, INTEGER).unwrap_err();
    assert_eq!(error.to_string(), "1.5 can't be held exactly as integer");
    let error = convert(integers(&[1, i64::MAX]), INTEGER, PRICE).unwrap_err();
    let message = "9223372036854775807 is too large for price";
    assert_eq!(error.to_string(), message);
}

#[test]
fn instants_are_kept_as_their_nanoseconds_and_back() {
    let nanos = integers(&[5, NULL]);
    assert_eq!(
        convert(nanos.clone(), ValueType::Timestamp, INTEGER),
        Ok(nanos.clone())
    );
    assert_eq!(
        convert(nanos.clone(), INTEGER, ValueType::Timestamp),
        Ok(nanos)
    );
}

#[test]
fn text_of_anything_is_as_its_own_type_prints_it() {
    let prices = [
        0,
        1_500_000_000,
        -1,
        i64::MAX,
        i64::MIN + 1,
        100_000_000_000,
    ];
    let printed = prices.map(|price| Price(price).to_string());
    let wanted = texts(&printed.each_ref().map(|text| Some(text.as_str())));
    assert_eq!(
        convert(integers(&prices), PRICE, ValueType::Text),
        Ok(wanted)
    );

    let instants = [0, 1_704_153_600_000_000_001, -1];
    let printed = instants.map(|instant| Nanos(instant).to_string());
    let wanted = texts(&printed.each_ref().map(|text| Some(text.as_str())));
    assert_eq!(
        convert(integers(&instants), ValueType::Timestamp, ValueType::Text),
        Ok(wanted)
    );

    let whole = convert(integers(&[-7, NULL]), INTEGER, ValueType::Text);
    assert_eq!(whole, Ok(texts(&[Some("-7"), None])));
    let characters = convert(
        ColumnValues::Chars(vec![b'A', 0]),
        ValueType::Char,
        ValueType::Text,
    );
    assert_eq!(characters, Ok(texts(&[Some("A"), None])));
    let none = convert(ColumnValues::SameInteger(NULL), PRICE, ValueType::Text);
    assert_eq!(none, Ok(ColumnValues::SameInteger(NULL)));
}

#[test]
fn text_becomes_nothing_else() {
    assert!(!convertible(ValueType::Text, INTEGER));
    assert!(!convertible(ValueType::Text, ValueType::Char));
    assert!(!convertible(PRICE, ValueType::Timestamp));
    assert!(convertible(ValueType::Char, ValueType::Text));
    let error = convert(texts(&[None, Some("5")]), ValueType::Text, INTEGER).unwrap_err();
    assert_eq!(error.to_string(), "5 can't be held exactly as integer");
    let error = convert(integers(&[NULL, 5]), PRICE, ValueType::Timestamp).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0.000000005 can't be held exactly as timestamp"
    );
}

#[test]
fn a_value_is_kept_as_the_type_asked_for() {
    let mut columns = vec![ColumnValues::SameInteger(NULL); 7];
    columns[4] = integers(&[2_500_000_000, NULL, 1]);
    columns[5] = integers(&[3, 4, 5]);
    let value = |text: &str, target| {
        let value = Value::compile(text, &trades()).unwrap();
        value.evaluate(&inputs(&columns, 3), target)
    };
    assert_eq!(value("price", PRICE), Ok(columns[4].clone()));
    let error = value("price * 0.5", PRICE).unwrap_err();
    assert_eq!((error.row, error.value.as_str()), (2, "0.0000000005"));
    assert_eq!(
        value("price * 2", ValueType::Text),
        Ok(texts(&[Some("5"), None, Some("0.000000002")]))
    );
    let error = value("size * 10000000000", PRICE).unwrap_err();
    assert_eq!((error.row, error.too_large), (0, true));
    assert_eq!(
        value("size + 1", PRICE),
        Ok(integers(&[4, 5, 6].map(|n| n * 1_000_000_000)))
    );
    assert_eq!(value("-5", INTEGER), Ok(ColumnValues::SameInteger(-5)));
    assert_eq!(
        value("'x'", ValueType::Text),
        Ok(ColumnValues::SameText("x".into()))
    );
    let end = Ok(ColumnValues::SameInteger(2_000));
    assert_eq!(value("chunk_end", ValueType::Timestamp), end);
    assert_eq!(
        value("price", INTEGER).unwrap_err().to_string(),
        "2.5 can't be held exactly as integer"
    );
}
