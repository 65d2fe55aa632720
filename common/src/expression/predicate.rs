//! Conditions evaluated column by column: each part gives the truth in all rows of the block.

use super::Inputs;
use super::arithmetic::numbers;
use super::lane::{Lane, Numbers};
use super::number::Number;
use super::plan::{Operand, Predicate};
use super::syntax::Comparison;
use super::texts::texts;
use super::truth::Truth;

/// The truth in each row.
pub(super) fn truths(predicate: &Predicate, inputs: &Inputs<'_>) -> Vec<Truth> {
    let rows = inputs.rows;
    match predicate {
        Predicate::Always(holds) => vec![Truth::from(*holds); rows],
        Predicate::Not(inner) => {
            let mut truths = truths(inner, inputs);
            truths.iter_mut().for_each(|truth| *truth = !*truth);
            truths
        }
        Predicate::All(parts) => {
            let parts = parts.iter().map(|part| truths(part, inputs));
            merged(parts, Truth::and)
        }
        Predicate::Any(parts) => {
            let parts = parts.iter().map(|part| truths(part, inputs));
            merged(parts, Truth::or)
        }
        Predicate::IsNull(Operand::Text(text)) => texts(text, inputs).are_null(rows),
        Predicate::IsNull(Operand::Number(number)) if number.wide => {
            are_null::<i128>(number, inputs)
        }
        Predicate::IsNull(Operand::Number(number)) => are_null::<i64>(number, inputs),
        Predicate::Compare(comparison, sides) if sides.iter().any(|side| side.wide) => {
            compare::<i128>(*comparison, sides, inputs)
        }
        Predicate::Compare(comparison, sides) => compare::<i64>(*comparison, sides, inputs),
        Predicate::Between(parts) if parts.iter().any(|part| part.wide) => {
            between::<i128>(parts, inputs)
        }
        Predicate::Between(parts) => between::<i64>(parts, inputs),
        Predicate::NumberIn(value, list) if value.wide | list.iter().any(|item| item.wide) => {
            is_in::<i128>(value, list, inputs)
        }
        Predicate::NumberIn(value, list) => is_in::<i64>(value, list, inputs),
        Predicate::TextIn(value, list) => {
            let value = texts(value, inputs);
            let items = list
                .iter()
                .map(|item| value.equal(texts(item, inputs), rows));
            merged(items, Truth::or)
        }
        Predicate::Like(text, pattern) => texts(text, inputs).like(pattern, rows),
    }
}

fn are_null<L: Lane>(number: &Number, inputs: &Inputs<'_>) -> Vec<Truth> {
    match numbers::<L>(number, inputs) {
        Numbers::Each(values) => {
            let nulls = values.iter().map(|value| (*value == L::NULL).into());
            nulls.collect()
        }
        Numbers::Same(value) => vec![(value == L::NULL).into(); inputs.rows],
    }
}

fn compare<L: Lane>(
    comparison: Comparison,
    [left, right]: &[Number; 2],
    inputs: &Inputs<'_>,
) -> Vec<Truth> {
    let (left, right) = (numbers(left, inputs), numbers(right, inputs));
    compared::<L>(&left, comparison, &right, inputs.rows)
}

fn between<L: Lane>([value, least, greatest]: &[Number; 3], inputs: &Inputs<'_>) -> Vec<Truth> {
    let value = numbers::<L>(value, inputs);
    let bounds = [
        (Comparison::GreaterOrEqual, least),
        (Comparison::LessOrEqual, greatest),
    ];
    let parts = bounds.into_iter().map(|(comparison, bound)| {
        compared(&value, comparison, &numbers(bound, inputs), inputs.rows)
    });
    merged(parts, Truth::and)
}

fn is_in<L: Lane>(value: &Number, list: &[Number], inputs: &Inputs<'_>) -> Vec<Truth> {
    let value = numbers::<L>(value, inputs);
    let items = list.iter().map(|item| {
        compared(
            &value,
            Comparison::Equal,
            &numbers(item, inputs),
            inputs.rows,
        )
    });
    merged(items, Truth::or)
}

fn merged(
    mut parts: impl Iterator<Item = Vec<Truth>>,
    with: fn(Truth, Truth) -> Truth,
) -> Vec<Truth> {
    let mut all = parts.next().expect("a chain and a list have parts");
    for part in parts {
        for (truth, other) in all.iter_mut().zip(&part) {
            *truth = with(*truth, *other);
        }
    }
    all
}

fn compared<L: Lane>(
    left: &Numbers<'_, L>,
    comparison: Comparison,
    right: &Numbers<'_, L>,
    rows: usize,
) -> Vec<Truth> {
    match comparison {
        Comparison::Equal => pairs(left, right, rows, |left, right| left == right),
        Comparison::NotEqual => pairs(left, right, rows, |left, right| left != right),
        Comparison::Less => pairs(left, right, rows, |left, right| left < right),
        Comparison::LessOrEqual => pairs(left, right, rows, |left, right| left <= right),
        Comparison::Greater => pairs(left, right, rows, |left, right| left > right),
        Comparison::GreaterOrEqual => pairs(left, right, rows, |left, right| left >= right),
    }
}

fn pairs<L: Lane>(
    left: &Numbers<'_, L>,
    right: &Numbers<'_, L>,
    rows: usize,
    holds: impl Fn(L, L) -> bool,
) -> Vec<Truth> {
    let truth = |left: L, right: L| {
        let known = (left != L::NULL) & (right != L::NULL);
        Truth::known(known, holds(left, right))
    };
    match (left, right) {
        (Numbers::Each(left), Numbers::Each(right)) => {
            let pairs = left.iter().zip(right.iter());
            pairs.map(|(left, right)| truth(*left, *right)).collect()
        }
        (Numbers::Each(left), Numbers::Same(right)) => {
            left.iter().map(|left| truth(*left, *right)).collect()
        }
        (Numbers::Same(left), Numbers::Each(right)) => {
            right.iter().map(|right| truth(*left, *right)).collect()
        }
        (Numbers::Same(left), Numbers::Same(right)) => vec![truth(*left, *right); rows],
    }
}
