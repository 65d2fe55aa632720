//! Three-valued logic, exact arithmetic at the ends of 64 bits, and what a column may be given as.

use std::sync::Arc;

use common::expression::{Column, Condition, Truth, Value, ValueType};
use common::store::rows::{ColumnValues, NULL};

use super::{INTEGER, PRICE, column, inputs, trades};

const MOST: i64 = i64::MAX;
const LEAST: i64 = i64::MIN + 1;

#[track_caller]
fn truths(text: &str, columns: &[Column], values: &[ColumnValues], rows: usize) -> Vec<Truth> {
    let condition = Condition::compile(text, columns).unwrap_or_else(|error| panic!("{error:?}"));
    condition.evaluate(&inputs(values, rows))
}

/// The truth over two columns of integers.
#[track_caller]
fn truths_of(text: &str, a: &[i64], b: &[i64]) -> Vec<Truth> {
    let columns = [column("a", INTEGER), column("b", INTEGER)];
    let values = [a, b].map(|values| ColumnValues::Integers(values.to_vec()));
    truths(text, &columns, &values, a.len())
}

#[test]
fn and_or_and_not_are_kleenes() {
    const F: Truth = Truth::FALSE;
    const U: Truth = Truth::UNKNOWN;
    const T: Truth = Truth::TRUE;
    // `a > 0` is false, unknown or true for 0, NULL and 1.
    let a = [0, 0, 0, NULL, NULL, NULL, 1, 1, 1];
    let b = [0, NULL, 1, 0, NULL, 1, 0, NULL, 1];
    assert_eq!(
        truths_of("a > 0 and b > 0", &a, &b),
        [F, F, F, F, U, U, F, U, T]
    );
    assert_eq!(
        truths_of("a > 0 or b > 0", &a, &b),
        [F, U, T, U, U, T, T, T, T]
    );
    assert_eq!(truths_of("not a > 0", &a, &b), [T, T, T, U, U, U, F, F, F]);
    assert_eq!(truths_of("a is null", &a, &b), [F, F, F, T, T, T, F, F, F]);
    assert_eq!(
        truths_of("a in (0, b)", &a, &b),
        [T, T, T, U, U, U, F, U, T]
    );
    assert_eq!(
        truths_of("a not in (0, b)", &a, &b),
        [F, F, F, U, U, U, T, U, F]
    );
    assert_eq!(
        truths_of("a between b and 0", &a, &b),
        [T, U, F, U, U, U, F, F, F]
    );
    assert_eq!(truths_of("true or a > 0", &a, &b), [T; 9]);
    assert_eq!(
        truths_of("a + b is null", &a, &b),
        [F, T, F, T, T, T, F, T, F]
    );
}

#[test]
fn precedence_is_postgresqls() {
    let a = [0, 1, 2];
    let b = [5, 5, 5];
    let pairs = [
        ("true or a = 1 and false", "true or (a = 1 and false)"),
        ("not a = 1 and b = 5", "(not a = 1) and b = 5"),
        ("a + b * 2 = 12", "a + (b * 2) = 12"),
        ("- a + b = 4", "(- a) + b = 4"),
        ("b - a - 1 = 3", "(b - a) - 1 = 3"),
        (
            "a between 0 and 1 and b = 5",
            "(a between 0 and 1) and b = 5",
        ),
        ("not a in (1)", "a not in (1)"),
    ];
    for (left, right) in pairs {
        assert_eq!(truths_of(left, &a, &b), truths_of(right, &a, &b), "{left}");
    }
}

#[test]
fn differences_and_products_at_the_ends_are_exact() {
    let (a, b) = ([MOST, LEAST, MOST, LEAST], [LEAST, MOST, MOST, LEAST]);
    let holds = |text: &str| truths_of(text, &a, &b);
    let of = |rows: [bool; 4]| rows.map(Truth::from);
    assert_eq!(
        holds("a - b = 18446744073709551614"),
        of([true, false, false, false])
    );
    assert_eq!(holds("a - b < 0"), of([false, true, false, false]));
    assert_eq!(
        holds("a + b = 18446744073709551614"),
        of([false, false, true, false])
    );
    let square = "85070591730234615847396907784232501249";
    assert_eq!(
        holds(&format!("a * b = {square}")),
        of([false, false, true, true])
    );
    assert_eq!(
        holds(&format!("a * b = -{square}")),
        of([true, true, false, false])
    );
    assert_eq!(holds("-a = b"), of([true, true, false, false]));
    assert_eq!(holds("a + 1 > a"), of([true; 4]));
    assert_eq!(
        holds("a * 0.1 = 922337203685477580.7"),
        of([true, false, true, false])
    );
}

#[test]
fn decimals_are_compared_by_their_value() {
    let price = ColumnValues::Integers(vec![1_500_000_000, 1_500_000_001, NULL]);
    let mut values = vec![ColumnValues::SameInteger(0); 7];
    values[4] = price;
    values[5] = ColumnValues::Integers(vec![1, 2, 3]);
    let holds = |text: &str| truths(text, &trades(), &values, 3);
    assert_eq!(
        holds("price = 1.5"),
        [Truth::TRUE, Truth::FALSE, Truth::UNKNOWN]
    );
    assert_eq!(
        holds("price > size"),
        [Truth::TRUE, Truth::FALSE, Truth::UNKNOWN]
    );
    assert_eq!(
        holds("price * 2 = 3.00"),
        [Truth::TRUE, Truth::FALSE, Truth::UNKNOWN]
    );
    assert_eq!(
        holds("size > 1.5"),
        [Truth::FALSE, Truth::TRUE, Truth::TRUE]
    );
    assert_eq!(holds("size > .5"), [Truth::TRUE; 3]);
}

#[test]
fn instants_are_compared_with_the_chunk_and_with_text() {
    let mut values = vec![ColumnValues::SameInteger(NULL); 7];
    values[0] = ColumnValues::Integers(vec![999, 1_000, 1_999, 2_000]);
    let holds = |text: &str| truths(text, &trades(), &values, 4);
    let of = |rows: [bool; 4]| rows.map(Truth::from);
    let within = "ts_recv >= chunk_start and ts_recv < chunk_end";
    assert_eq!(holds(within), of([false, true, true, false]));
    let text = "ts_recv = '1970-01-01T00:00:00.000001Z'";
    assert_eq!(holds(text), of([false, true, false, false]));
    assert_eq!(
        holds("ts_recv + 1 = chunk_start"),
        of([true, false, false, false])
    );
    assert_eq!(holds("chunk_end - chunk_start = 1000"), of([true; 4]));
    assert_eq!(holds("ts_event < chunk_end"), [Truth::UNKNOWN; 4]);
}

#[test]
fn text_may_be_given_row_by_row_or_once() {
    let symbols = ["ESZ4", "é", ""].map(|text| Some(Arc::from(text)));
    let mut values = vec![ColumnValues::SameInteger(NULL); 7];
    values[2] = ColumnValues::SameText("T".into());
    values[3] = ColumnValues::Chars(vec![b'A', b'B', 0, b'T']);
    values[6] = ColumnValues::Texts([&symbols[..], &[None]].concat());
    let holds = |text: &str| truths(text, &trades(), &values, 4);
    const F: Truth = Truth::FALSE;
    const U: Truth = Truth::UNKNOWN;
    const T: Truth = Truth::TRUE;
    assert_eq!(holds("side in ('A', 'N')"), [T, F, U, F]);
    assert_eq!(holds("action = 'T'"), [T; 4]);
    assert_eq!(holds("action = side"), [F, F, U, T]);
    assert_eq!(holds("symbol like '_'"), [F, T, F, U]);
    assert_eq!(holds("symbol not like 'ES%4'"), [F, T, T, U]);
    assert_eq!(holds("symbol like 'es%'"), [F, F, F, U]);
    assert_eq!(holds("side like '_'"), [T, T, U, T]);
    assert_eq!(holds("'it''s' = 'it''s'"), [T; 4]);
}

#[test]
fn what_an_expression_reads_and_can_be_is_known_beforehand() {
    let columns = trades();
    let condition = Condition::compile("size > 0 or side = 'A' or size < 9", &columns).unwrap();
    assert_eq!(condition.columns(), [3, 5]);
    let value = Value::compile("(size - 1) * 0.50", &columns).unwrap();
    assert_eq!(value.columns(), [5]);
    assert_eq!(value.value_type(), ValueType::Number { scale: 1 });
    assert_eq!(value.bounds(), Some((-5, 5 * (i128::from(u32::MAX) - 1))));
    assert!(value.nullable());
    let value = Value::compile("ts_recv - ts_event", &columns).unwrap();
    assert_eq!(value.value_type(), INTEGER);
    assert!(
        !Value::compile("chunk_start + 5", &columns)
            .unwrap()
            .nullable()
    );
    assert_eq!(
        Value::compile("price", &columns).unwrap().value_type(),
        PRICE
    );
    assert_eq!(
        Value::compile("side", &columns).unwrap().value_type(),
        ValueType::Char
    );
    assert_eq!(Value::compile("'x'", &columns).unwrap().bounds(), None);
}
