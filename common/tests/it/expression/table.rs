//! A table of generated rows, with NULLs: for the engine as columns, for databases as SQL.

use std::fmt::Write;
use std::sync::Arc;

use common::expression::{Column, Condition, Inputs, Parameters, Truth, ValueType};
use common::store::rows::{ColumnValues, NULL};
use common::time::Nanos;

use super::random::Random;
use super::{INTEGER, PRICE};

/// Rows in a block; the last block of the table is shorter.
const BLOCK_ROWS: usize = 2_048;
pub const ROWS: usize = 10_007;

/// 2024-01-02T00:00:00Z.
const START: i128 = 1_704_153_600_000_000_000;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// A mantissa at the scale of its column.
    Number(i128),
    Text(&'static str),
}

/// A column's definition.
pub struct Definition {
    pub name: &'static str,
    pub value_type: ValueType,
    pub least: i128,
    pub greatest: i128,
    values: Values,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Even,
    /// Small ones mostly, and those at the ends.
    Extreme,
    Same,
    OneOf(&'static [&'static str]),
    SameText(&'static str),
    /// The same in all rows, and given beside the columns.
    Parameter,
}

pub const TEXTS: [&str; 13] = [
    "ESZ4", "ESH5", "ES", "NQ%", "a_b", "it's", "", "é", "日本", "e\\s", "!", "A", "aéb",
];
pub const CHARACTERS: [&str; 6] = ["A", "B", "N", "T", "%", "\\"];

const NARROW: (i128, i128) = (NULL as i128 + 1, i64::MAX as i128);
const RATE: ValueType = ValueType::Number { scale: 2 };
const INSTANT: ValueType = ValueType::Timestamp;

/// The columns. Those of decimals are left out where a database has none.
pub fn definitions() -> Vec<Definition> {
    let number = |name, value_type, (least, greatest), values| Definition {
        name,
        value_type,
        least,
        greatest,
        values,
    };
    let text = |name, value_type, values| number(name, value_type, (0, 0), values);
    let day = (START, START + 5_000);
    vec![
        number("flags", INTEGER, (0, 255), Values::Even),
        number("size", INTEGER, (0, 4_294_967_295), Values::Extreme),
        number("depth", INTEGER, (-4, 4), Values::Even),
        number("identifier", INTEGER, NARROW, Values::Extreme),
        number("publisher", INTEGER, (3, 3), Values::Same),
        number("ts_event", INSTANT, day, Values::Even),
        number("ts_recv", INSTANT, day, Values::Even),
        text("side", ValueType::Char, Values::OneOf(&["A", "B", "N"])),
        text("action", ValueType::Char, Values::OneOf(&CHARACTERS)),
        text("symbol", ValueType::Text, Values::OneOf(&TEXTS)),
        text(
            "asset",
            ValueType::Text,
            Values::OneOf(&["ES", "A", "", "NQ"]),
        ),
        text("venue", ValueType::Text, Values::SameText("ES")),
        number("price", PRICE, NARROW, Values::Extreme),
        number("tick", PRICE, (-500_000_000, 500_000_000), Values::Extreme),
        number("rate", RATE, (-200, 200), Values::Even),
        number("chunk_start", INSTANT, day, Values::Parameter),
        number("chunk_end", INSTANT, day, Values::Parameter),
    ]
}

/// The rows; each has a cell for each definition.
pub struct Table {
    pub definitions: Vec<Definition>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn generate(random: &mut Random) -> Self {
        let definitions = definitions();
        let rows = (0..ROWS).map(|_| definitions.iter().map(|it| it.cell(random)).collect());
        let rows = rows.collect();
        Self { definitions, rows }
    }

    /// The columns for the checker: all but the parameters.
    pub fn columns(&self) -> Vec<Column> {
        let given = self.given().map(|(_, definition)| Column {
            name: definition.name.to_owned(),
            value_type: definition.value_type,
            nullable: definition.has_nulls(),
            least: definition.least.try_into().unwrap(),
            greatest: definition.greatest.try_into().unwrap(),
        });
        given.collect()
    }

    fn given(&self) -> impl Iterator<Item = (usize, &Definition)> {
        let all = self.definitions.iter().enumerate();
        all.filter(|(_, definition)| definition.values != Values::Parameter)
    }

    /// Blocks of rows, as the engine wants them.
    pub fn blocks(&self) -> Vec<(Vec<ColumnValues>, usize)> {
        let blocks = self.rows.chunks(BLOCK_ROWS).map(|rows| {
            let columns = self.given().map(|(index, definition)| {
                let cells: Vec<&Cell> = rows.iter().map(|row| &row[index]).collect();
                definition.values(&cells)
            });
            (columns.collect(), rows.len())
        });
        blocks.collect()
    }

    /// The condition's truth in each row: 0, 1 or 2 as digits, as the databases answer.
    pub fn truths(&self, condition: &Condition) -> String {
        let mut truths = String::new();
        for (columns, rows) in self.blocks() {
            for truth in condition.evaluate(&inputs(&columns, rows)) {
                truths.push(digit(Some(truth)));
            }
        }
        truths
    }

    /// `CREATE TABLE` with the types of a database, by the type of values.
    pub fn create(&self, sql_type: fn(ValueType) -> &'static str) -> String {
        let columns = self.definitions.iter().map(|definition| {
            let sql_type = sql_type(definition.value_type);
            format!("{} {sql_type}", definition.name)
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("CREATE TABLE rows (row_number INTEGER, {columns});\n")
    }

    /// `INSERT` of all rows.
    pub fn insert(&self) -> String {
        let mut sql = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let start = if number % 500 == 0 {
                ";\nINSERT INTO rows VALUES"
            } else {
                ","
            };
            write!(sql, "{start} ({number}").unwrap();
            for (cell, definition) in row.iter().zip(&self.definitions) {
                match cell {
                    Cell::Null => sql.push_str(", NULL"),
                    Cell::Number(mantissa) => {
                        write!(sql, ", {}", definition.written(*mantissa)).unwrap();
                    }
                    Cell::Text(text) => write!(sql, ", '{}'", text.replace('\'', "''")).unwrap(),
                }
            }
            sql.push(')');
        }
        sql.trim_start_matches(';').to_owned() + ";\n"
    }
}

pub fn inputs(columns: &[ColumnValues], rows: usize) -> Inputs<'_> {
    let instant = |after: i128| Nanos(i64::try_from(START + after).unwrap());
    let parameters = Parameters {
        chunk_start: instant(1_000),
        chunk_end: instant(4_000),
    };
    Inputs {
        columns,
        rows,
        parameters,
    }
}

pub fn digit(truth: Option<Truth>) -> char {
    match truth {
        Some(Truth::FALSE) => '0',
        Some(Truth::UNKNOWN) => '1',
        Some(Truth::TRUE) => '2',
        other => panic!("{other:?} is no truth"),
    }
}

impl Definition {
    pub fn scale(&self) -> u32 {
        match self.value_type {
            ValueType::Number { scale } => scale.into(),
            _ => 0,
        }
    }

    pub fn is_decimal(&self) -> bool {
        self.scale() > 0
    }

    fn has_nulls(&self) -> bool {
        matches!(
            self.values,
            Values::Even | Values::Extreme | Values::OneOf(_)
        )
    }

    fn cell(&self, random: &mut Random) -> Cell {
        if self.has_nulls() && random.chance(8) {
            return Cell::Null;
        }
        match self.values {
            Values::Even => Cell::Number(random.between(self.least, self.greatest)),
            Values::Extreme => Cell::Number(match random.bits() % 10 {
                0 => self.least,
                1 => self.greatest,
                2 => random.between(self.least, self.greatest),
                _ => random.between(-3, 3).max(self.least) * 10_i128.pow(self.scale() / 3),
            }),
            Values::Same => Cell::Number(self.least),
            Values::OneOf(texts) => Cell::Text(random.pick(texts)),
            Values::SameText(text) => Cell::Text(text),
            Values::Parameter if self.name == "chunk_start" => Cell::Number(START + 1_000),
            Values::Parameter => Cell::Number(START + 4_000),
        }
    }

    fn values(&self, cells: &[&Cell]) -> ColumnValues {
        let number = |cell: &Cell| match cell {
            Cell::Number(mantissa) => i64::try_from(*mantissa).unwrap(),
            _ => NULL,
        };
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => Some(*text),
            _ => None,
        };
        let each = cells.iter().copied();
        match (self.values, self.value_type) {
            (Values::Same, _) => ColumnValues::SameInteger(number(cells[0])),
            (Values::SameText(text), _) => ColumnValues::SameText(text.into()),
            (_, ValueType::Char) => {
                let first = |cell| text(cell).map_or(0, |text| text.as_bytes()[0]);
                ColumnValues::Chars(each.map(first).collect())
            }
            (_, ValueType::Text) => {
                ColumnValues::Texts(each.map(|cell| text(cell).map(Arc::from)).collect())
            }
            _ => ColumnValues::Integers(each.map(number).collect()),
        }
    }

    /// A mantissa as SQL.
    fn written(&self, mantissa: i128) -> String {
        if !self.is_decimal() {
            return mantissa.to_string();
        }
        let unit = 10_u128.pow(self.scale());
        let sign = if mantissa < 0 { "-" } else { "" };
        let (whole, rest) = (
            mantissa.unsigned_abs() / unit,
            mantissa.unsigned_abs() % unit,
        );
        let width = usize::try_from(self.scale()).unwrap();
        format!("{sign}{whole}.{rest:0width$}")
    }
}
