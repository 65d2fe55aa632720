//! Generated expressions and their text.

use common::expression::ValueType;

use super::random::Random;
use super::table::{CHARACTERS, Definition, TEXTS};

/// What SQLite computes in 64 bits, and PostgreSQL for literals alone in 32.
const COMPUTED_MAX: i128 = 1 << 62;
const LITERALS_MAX: i128 = 1 << 30;

#[derive(Clone, Debug)]
pub enum Value {
    Column(usize),
    Number(i128, u32),
    Text(String),
    Negate(Box<Value>),
    Add(Box<Value>, Box<Value>),
    Subtract(Box<Value>, Box<Value>),
    Multiply(Box<Value>, Box<Value>),
}

/// Where there is a last `bool`, it says whether `not` stands before the operator.
#[derive(Clone, Debug)]
pub enum Condition {
    Truth(bool),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    IsNull(Value, bool),
    Compare(&'static str, Value, Value),
    Between(Value, Value, Value, bool),
    In(Value, Vec<Value>, bool),
    Like(Value, String, Option<char>, bool),
}

/// What makes expressions over a table's columns.
pub struct Generator<'a> {
    pub random: &'a mut Random,
    pub definitions: &'a [Definition],
    /// Whether decimals may occur.
    pub decimals: bool,
}

impl Generator<'_> {
    pub fn condition(&mut self, levels: u32) -> Condition {
        if levels > 0 {
            let mut inner = || Box::new(self.condition(levels - 1));
            let (left, right) = (inner(), inner());
            return match self.random.bits() % 5 {
                0 => Condition::Not(left),
                1 | 2 => Condition::And(left, right),
                _ => Condition::Or(left, right),
            };
        }
        let negated = self.random.chance(40);
        match self.random.bits() % 16 {
            0 => Condition::Truth(negated),
            1 | 2 => Condition::IsNull(self.any(), negated),
            3..=7 => {
                let operator = self.random.pick(&["=", "<>", "!=", "<", "<=", ">", ">="]);
                let is_instant = self.random.chance(25);
                Condition::Compare(operator, self.ordered(is_instant), self.ordered(is_instant))
            }
            8 | 9 => {
                let is_instant = self.random.chance(25);
                let mut ordered = || self.ordered(is_instant);
                Condition::Between(ordered(), ordered(), ordered(), negated)
            }
            10 | 11 => {
                let is_instant = self.random.chance(15);
                let list = (0..=self.random.bits() % 4).map(|_| self.ordered(is_instant));
                let list = list.collect();
                Condition::In(self.ordered(is_instant), list, negated)
            }
            12 => {
                let is_char = self.random.chance(50);
                let operator = self.random.pick(&["=", "<>"]);
                Condition::Compare(operator, self.text(is_char), self.text(is_char))
            }
            13 => {
                let is_char = self.random.chance(50);
                let list = (0..=self.random.bits() % 4).map(|_| self.text(is_char));
                let list = list.collect();
                Condition::In(self.text(is_char), list, negated)
            }
            _ => {
                let (pattern, escape) = self.pattern();
                let is_char = self.random.chance(40);
                Condition::Like(self.text(is_char), pattern, escape, negated)
            }
        }
    }

    fn any(&mut self) -> Value {
        match self.random.bits() % 4 {
            0 => self.text(true),
            1 => self.ordered(true),
            _ => self.ordered(false),
        }
    }

    fn ordered(&mut self, is_instant: bool) -> Value {
        if is_instant {
            self.instant()
        } else {
            self.number(2)
        }
    }

    /// A number whose every part a database can compute.
    pub fn number(&mut self, levels: u32) -> Value {
        loop {
            let value = self.any_number(levels);
            if self.greatest(&value).is_some() {
                return value;
            }
        }
    }

    fn any_number(&mut self, levels: u32) -> Value {
        let kind = self.random.bits() % 12;
        if levels == 0 || kind < 6 {
            return if kind.is_multiple_of(3) {
                self.literal()
            } else {
                self.column(|it| matches!(it.value_type, ValueType::Number { .. }))
            };
        }
        let mut part = || Box::new(self.any_number(levels - 1));
        match kind {
            6 => Value::Negate(part()),
            7 | 8 => Value::Add(part(), part()),
            9 => Value::Subtract(part(), part()),
            10 => Value::Multiply(part(), part()),
            _ => Value::Subtract(Box::new(self.instant()), Box::new(self.instant())),
        }
    }

    fn literal(&mut self) -> Value {
        let scale = if self.decimals {
            self.random.pick(&[0, 0, 1, 2, 9])
        } else {
            0
        };
        match self.random.bits() % 12 {
            0 => Value::Number(4_294_967_295, 0),
            1 => Value::Number(i64::MAX.into(), 0),
            2 => Value::Number(self.random.between(0, 1_000_000), scale),
            _ => Value::Number(self.random.between(0, 4) * 10_i128.pow(scale) / 2, scale),
        }
    }

    fn instant(&mut self) -> Value {
        let column = self.column(|it| it.value_type == ValueType::Timestamp);
        let moved = Value::Number(self.random.between(0, 2_000), 0);
        let (column, moved) = (Box::new(column), Box::new(moved));
        match self.random.bits() % 6 {
            0 => Value::Add(column, moved),
            1 => Value::Add(moved, column),
            2 => Value::Subtract(column, moved),
            _ => *column,
        }
    }

    fn text(&mut self, is_char: bool) -> Value {
        if self.random.chance(30) {
            let texts: &[&str] = if is_char { &CHARACTERS } else { &TEXTS };
            let text = match self.random.pick(texts) {
                // It stands in rows alone: to compare with it is refused.
                "" => "A",
                text => text,
            };
            return Value::Text(text.to_owned());
        }
        if is_char {
            return self.column(|it| matches!(it.value_type, ValueType::Char | ValueType::Text));
        }
        self.column(|it| it.value_type == ValueType::Text)
    }

    /// A pattern that, with its escape character, means the same in all databases.
    fn pattern(&mut self) -> (String, Option<char>) {
        let escape = self
            .random
            .pick(&[None, None, Some('!'), Some('\\'), Some('é')]);
        let mut pattern = String::new();
        for _ in 0..self.random.bits() % 6 {
            let part = self
                .random
                .pick(&["%", "%", "_", "E", "S", "é", "本", "A", "!", "\\", "'"]);
            let part = if part == "\\" && escape.is_none() {
                "_"
            } else {
                part
            };
            pattern.push_str(part);
            if escape.is_some_and(|escape| part.starts_with(escape)) {
                pattern.push_str(self.random.pick(&["%", "_", "E", "!", "\\", "é"]));
            }
        }
        (pattern, escape)
    }

    fn column(&mut self, wanted: impl Fn(&Definition) -> bool) -> Value {
        let columns = self.definitions.iter().enumerate();
        let columns: Vec<usize> = columns
            .filter(|(_, it)| wanted(it) && (self.decimals || !it.is_decimal()))
            .map(|(index, _)| index)
            .collect();
        Value::Column(self.random.pick(&columns))
    }

    /// The greatest that an integer can be, without its sign, and whether there are columns in it;
    /// `None` when a part is too large for a database.
    fn greatest(&self, value: &Value) -> Option<(i128, bool)> {
        let (greatest, has_column) = match value {
            Value::Column(index) => {
                let column = &self.definitions[*index];
                return Some((column.least.abs().max(column.greatest.abs()), true));
            }
            Value::Number(mantissa, _) => return Some((*mantissa, false)),
            Value::Text(_) => return None,
            Value::Negate(inner) => self.greatest(inner)?,
            Value::Add(left, right) | Value::Subtract(left, right) => {
                let (left, right) = (self.greatest(left)?, self.greatest(right)?);
                (left.0.saturating_add(right.0), left.1 || right.1)
            }
            Value::Multiply(left, right) => {
                let (left, right) = (self.greatest(left)?, self.greatest(right)?);
                (left.0.saturating_mul(right.0), left.1 || right.1)
            }
        };
        let most = match (has_column, self.decimals) {
            (false, _) => LITERALS_MAX,
            (true, false) => COMPUTED_MAX,
            (true, true) => i128::MAX,
        };
        (greatest <= most).then_some((greatest, has_column))
    }
}

/// Writes expressions with as few parentheses as the precedence allows, and some more; keywords in
/// either case, with blanks and line breaks.
pub struct Writer<'a> {
    pub random: &'a mut Random,
    pub definitions: &'a [Definition],
}

impl Writer<'_> {
    pub fn condition(&mut self, condition: &Condition, least_level: u32) -> String {
        let (level, text) = match condition {
            Condition::Truth(holds) => (9, self.keyword(if *holds { "true" } else { "false" })),
            Condition::Or(left, right) => {
                let (left, right) = (self.condition(left, 1), self.condition(right, 2));
                (1, format!("{left}{}{right}", self.spaced("or")))
            }
            Condition::And(left, right) => {
                let (left, right) = (self.condition(left, 2), self.condition(right, 3));
                (2, format!("{left}{}{right}", self.spaced("and")))
            }
            Condition::Not(inner) => (
                3,
                format!("{} {}", self.keyword("not"), self.condition(inner, 3)),
            ),
            Condition::IsNull(value, negated) => {
                let operator = if *negated { "is not null" } else { "is null" };
                (
                    4,
                    format!("{} {}", self.value(value, 7), self.keyword(operator)),
                )
            }
            Condition::Compare(operator, left, right) => {
                // To PostgreSQL, `!=-` is an operator of its own.
                let blank = if self.random.chance(70) || *operator == "!=" {
                    " "
                } else {
                    ""
                };
                let (left, right) = (self.value(left, 7), self.value(right, 7));
                (5, format!("{left}{blank}{operator}{blank}{right}"))
            }
            Condition::Between(value, least, greatest, negated) => {
                let value = self.value(value, 7);
                let between = self.negatable("between", *negated);
                let (least, greatest) = (self.value(least, 7), self.value(greatest, 7));
                (
                    6,
                    format!("{value}{between}{least}{}{greatest}", self.spaced("and")),
                )
            }
            Condition::In(value, list, negated) => {
                let value = self.value(value, 7);
                let items = list.iter().map(|item| self.value(item, 7));
                let items = items.collect::<Vec<_>>().join(", ");
                (
                    6,
                    format!("{value}{}({items})", self.negatable("in", *negated)),
                )
            }
            Condition::Like(value, pattern, escape, negated) => {
                let value = self.value(value, 7);
                let pattern = quoted(pattern);
                let escape = escape.map_or(String::new(), |escape| {
                    format!("{}{}", self.spaced("escape"), quoted(&escape.to_string()))
                });
                (
                    6,
                    format!(
                        "{value}{}{pattern}{escape}",
                        self.negatable("like", *negated)
                    ),
                )
            }
        };
        self.enclosed(text, level < least_level)
    }

    pub fn value(&mut self, value: &Value, least_level: u32) -> String {
        let (level, text) = match value {
            Value::Column(index) => (10, self.definitions[*index].name.to_owned()),
            Value::Number(mantissa, scale) => (10, written(*mantissa, *scale)),
            Value::Text(text) => (10, quoted(text)),
            Value::Negate(inner) => (9, format!("- {}", self.value(inner, 9))),
            Value::Add(left, right) => (
                7,
                format!("{} + {}", self.value(left, 7), self.value(right, 8)),
            ),
            Value::Subtract(left, right) => (
                7,
                format!("{} - {}", self.value(left, 7), self.value(right, 8)),
            ),
            Value::Multiply(left, right) => (
                8,
                format!("{} * {}", self.value(left, 8), self.value(right, 9)),
            ),
        };
        self.enclosed(text, level < least_level)
    }

    fn enclosed(&mut self, text: String, must: bool) -> String {
        if must || self.random.chance(8) {
            format!("({text})")
        } else {
            text
        }
    }

    fn negatable(&mut self, operator: &str, negated: bool) -> String {
        let not = if negated { "not " } else { "" };
        self.spaced(&format!("{not}{operator}"))
    }

    fn spaced(&mut self, keyword: &str) -> String {
        let before = self.random.pick(&[" ", " ", "\n", "\t "]);
        format!("{before}{} ", self.keyword(keyword))
    }

    fn keyword(&mut self, keyword: &str) -> String {
        if self.random.chance(20) {
            keyword.to_uppercase()
        } else {
            keyword.to_owned()
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A number that is not negative.
fn written(mantissa: i128, scale: u32) -> String {
    if scale == 0 {
        return mantissa.to_string();
    }
    let unit = 10_i128.pow(scale);
    let width = usize::try_from(scale).unwrap();
    format!("{}.{:0width$}", mantissa / unit, mantissa % unit)
}
