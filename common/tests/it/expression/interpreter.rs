//! The plainest reading of an expression: one row at a time, through the tree, with `Option`.

use super::generated::{Condition, Value};
use super::table::{Cell, Definition};

/// A row and what its cells are.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub cells: &'a [Cell],
    pub definitions: &'a [Definition],
}

/// Whether the condition holds; `None` where that is unknown.
pub fn holds(condition: &Condition, row: Row<'_>) -> Option<bool> {
    match condition {
        Condition::Truth(holds) => Some(*holds),
        Condition::Not(inner) => holds(inner, row).map(|holds| !holds),
        Condition::And(left, right) => match (holds(left, row), holds(right, row)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Condition::Or(left, right) => match (holds(left, row), holds(right, row)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Condition::IsNull(value, negated) => {
            let is_null = number(value, row).is_none() && text(value, row).is_none();
            Some(is_null != *negated)
        }
        Condition::Compare(operator, left, right) => compare(operator, left, right, row),
        Condition::Between(value, least, greatest, negated) => {
            let above = compare(">=", value, least, row);
            let below = compare("<=", value, greatest, row);
            let between = match (above, below) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            between.map(|between| between != *negated)
        }
        Condition::In(value, list, negated) => {
            let equal = list.iter().map(|item| compare("=", value, item, row));
            let equal: Vec<Option<bool>> = equal.collect();
            let found = if equal.contains(&Some(true)) {
                Some(true)
            } else if equal.contains(&None) {
                None
            } else {
                Some(false)
            };
            found.map(|found| found != *negated)
        }
        Condition::Like(value, pattern, escape, negated) => {
            let characters: Vec<char> = text(value, row)?.chars().collect();
            let pattern: Vec<char> = pattern.chars().collect();
            Some(like(&characters, &pattern, *escape) != *negated)
        }
    }
}

fn compare(operator: &str, left: &Value, right: &Value, row: Row<'_>) -> Option<bool> {
    let ordering = match (text(left, row), text(right, row)) {
        (Some(left), Some(right)) => left.cmp(right),
        _ => {
            let (left, left_scale) = number(left, row)?;
            let (right, right_scale) = number(right, row)?;
            let scale = left_scale.max(right_scale);
            let at = |mantissa: i128, own: u32| mantissa * 10_i128.pow(scale - own);
            at(left, left_scale).cmp(&at(right, right_scale))
        }
    };
    Some(match operator {
        "=" => ordering.is_eq(),
        "<>" | "!=" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        ">=" => ordering.is_ge(),
        other => panic!("{other} is no comparison"),
    })
}

/// A mantissa and its scale; `None` for NULL and for what is text.
pub fn number(value: &Value, row: Row<'_>) -> Option<(i128, u32)> {
    let both = |left: &Value, right: &Value| Some((number(left, row)?, number(right, row)?));
    let sum = |left: &Value, right: &Value, sign: i128| {
        let ((left, left_scale), (right, right_scale)) = both(left, right)?;
        let scale = left_scale.max(right_scale);
        let left = left * 10_i128.pow(scale - left_scale);
        let right = right * 10_i128.pow(scale - right_scale);
        Some((left + sign * right, scale))
    };
    match value {
        Value::Column(index) => match &row.cells[*index] {
            Cell::Number(mantissa) => Some((*mantissa, row.definitions[*index].scale())),
            _ => None,
        },
        // Without needless zeros, so that 128 bits hold whatever they hold in the engine.
        Value::Number(mantissa, scale) => {
            let (mut mantissa, mut scale) = (*mantissa, *scale);
            while scale > 0 && mantissa % 10 == 0 {
                (mantissa, scale) = (mantissa / 10, scale - 1);
            }
            Some((mantissa, scale))
        }
        Value::Text(_) => None,
        Value::Negate(inner) => number(inner, row).map(|(mantissa, scale)| (-mantissa, scale)),
        Value::Add(left, right) => sum(left, right, 1),
        Value::Subtract(left, right) => sum(left, right, -1),
        Value::Multiply(left, right) => {
            let ((left, left_scale), (right, right_scale)) = both(left, right)?;
            Some((left * right, left_scale + right_scale))
        }
    }
}

fn text<'a>(value: &'a Value, row: Row<'a>) -> Option<&'a str> {
    match value {
        Value::Column(index) => match &row.cells[*index] {
            Cell::Text(text) => Some(text),
            _ => None,
        },
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn like(text: &[char], pattern: &[char], escape: Option<char>) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    if Some(*first) == escape {
        return text.first() == rest.first() && like(&text[1..], &rest[1..], escape);
    }
    match first {
        '%' => (0..=text.len()).any(|taken| like(&text[taken..], rest, escape)),
        '_' => !text.is_empty() && like(&text[1..], rest, escape),
        _ => text.first() == Some(first) && like(&text[1..], rest, escape),
    }
}
