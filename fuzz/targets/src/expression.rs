//! The text of rules and of computed columns: read, checked, and evaluated where it checks.

use common::expression::{
    Column, Condition, ExpressionError, Inputs, Parameters, Value, ValueType, convertible,
};
use common::store::rows::{ColumnValues, NULL};
use common::time::Nanos;

/// Rows that are evaluated; also in halves, which must make no difference.
const ROWS: usize = 16;
const TYPES: [ValueType; 5] = [
    ValueType::Number { scale: 0 },
    ValueType::Number { scale: 9 },
    ValueType::Timestamp,
    ValueType::Char,
    ValueType::Text,
];

/// The text of a condition, which may be that of a value too.
///
/// # Panics
/// When an error's place is not within the text, or an evaluation depends on where its block is cut
/// or leaves the bounds that it promised.
pub fn expression(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let columns = columns();
    let condition = Condition::compile(text, &columns);
    let value = Value::compile(text, &columns);
    for error in [condition.as_ref().err(), value.as_ref().err()] {
        error
            .into_iter()
            .for_each(|error| assert_place(error, text));
    }
    if let Ok(condition) = &condition {
        assert!(condition.columns().is_sorted());
        let whole = condition.evaluate(&block(0, ROWS).inputs());
        let mut halves = condition.evaluate(&block(0, ROWS / 2).inputs());
        halves.extend(condition.evaluate(&block(ROWS / 2, ROWS).inputs()));
        assert_eq!(whole.len(), ROWS);
        assert_eq!(halves, whole);
    }
    if let Ok(value) = &value {
        TYPES.into_iter().for_each(|target| evaluate(value, target));
    }
    condition.is_ok() || value.is_ok()
}

fn assert_place(error: &ExpressionError, text: &str) {
    assert!(
        text.get(error.start..error.end).is_some(),
        "{error:?} of {text:?}"
    );
    assert!(!error.message.is_empty());
}

fn evaluate(value: &Value, target: ValueType) {
    if !convertible(value.value_type(), target) {
        return;
    }
    let block = block(0, ROWS);
    match value.evaluate(&block.inputs(), target) {
        Err(error) => assert!(error.row < ROWS, "{error:?}"),
        Ok(ColumnValues::Integers(numbers)) => {
            assert_eq!(numbers.len(), ROWS);
            let (Some((least, greatest)), true) = (value.bounds(), target == value.value_type())
            else {
                return;
            };
            for number in numbers {
                let within = (least..=greatest).contains(&i128::from(number));
                assert!(
                    within || number == NULL,
                    "{number} of {least} to {greatest}"
                );
            }
        }
        Ok(_) => {}
    }
}

fn columns() -> Vec<Column> {
    let column = |name: &str, value_type, nullable, (least, greatest)| Column {
        name: name.to_owned(),
        value_type,
        nullable,
        least,
        greatest,
    };
    let wide = (-i64::MAX, i64::MAX);
    vec![
        column("size", TYPES[0], false, (0, i64::from(u32::MAX))),
        column("price", TYPES[1], true, wide),
        column("ts_event", TYPES[2], true, (0, i64::MAX)),
        column("side", TYPES[3], true, wide),
        column("symbol", TYPES[4], true, wide),
    ]
}

struct Block {
    columns: Vec<ColumnValues>,
    rows: usize,
}

/// Rows of a table that is always the same: its ends, its middle, and what is undefined.
fn block(first: usize, end: usize) -> Block {
    let pick = |values: &[i64]| {
        let rows = (first..end).map(|row| values[row % values.len()]);
        ColumnValues::Integers(rows.collect())
    };
    let texts = ["ESZ4", "", "a_b%", "日本\\"];
    let text = |row: usize| (row % 5 != 4).then(|| texts[row % texts.len()].into());
    let columns = vec![
        pick(&[0, 1, 7, i64::from(u32::MAX)]),
        pick(&[NULL, 0, -1, 4_700_250_000_000, i64::MAX, -i64::MAX]),
        pick(&[NULL, 0, 1_704_326_400_000_000_000, i64::MAX]),
        ColumnValues::Chars((first..end).map(|row| b"AB\0N%\\"[row % 6]).collect()),
        ColumnValues::Texts((first..end).map(text).collect()),
    ];
    Block {
        columns,
        rows: end - first,
    }
}

impl Block {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            columns: &self.columns,
            rows: self.rows,
            parameters: Parameters {
                chunk_start: Nanos(1_704_326_400_000_000_000),
                chunk_end: Nanos(1_704_412_800_000_000_000),
            },
        }
    }
}
