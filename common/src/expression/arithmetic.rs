//! Numbers computed column by column.

use std::borrow::Cow;

use super::Inputs;
use super::lane::{Lane, Numbers};
use super::number::{Formula, Number};
use super::syntax::Sign;
use crate::store::rows::{ColumnValues, NULL};
use crate::time::Nanos;

/// The number in each row. `L` is 128 bits where the number needs them, or what it is compared with.
pub(super) fn numbers<'a, L: Lane>(number: &Number, inputs: &Inputs<'a>) -> Numbers<'a, L> {
    if L::WIDE && !number.wide {
        return L::widen(numbers::<i64>(number, inputs));
    }
    match &number.formula {
        Formula::Column(index) => L::widen(column(*index, inputs)),
        Formula::Constant(value) => Numbers::Same(L::fitting(*value)),
        Formula::ChunkStart => parameter(inputs.parameters.chunk_start),
        Formula::ChunkEnd => parameter(inputs.parameters.chunk_end),
        Formula::Negate(inner) => match numbers::<L>(inner, inputs) {
            Numbers::Each(values) => {
                let negated = values.iter().map(|value| unless_null(*value, L::negated));
                Numbers::Each(negated.collect())
            }
            Numbers::Same(value) => Numbers::Same(unless_null(value, L::negated)),
        },
        Formula::Sum(terms) => {
            let terms = terms
                .iter()
                .map(|(sign, term)| (*sign, numbers(term, inputs)));
            let summed = terms.reduce(|(first, sum), (sign, term)| match sign {
                Sign::Plus => (first, combine(sum, &term, L::plus)),
                Sign::Minus => (first, combine(sum, &term, L::minus)),
            });
            summed.expect("a sum has terms").1
        }
        Formula::Product(factors) => {
            let factors = factors.iter().map(|factor| numbers(factor, inputs));
            let product = factors.reduce(|product, factor| combine(product, &factor, L::times));
            product.expect("a product has factors")
        }
    }
}

fn column<'a>(index: usize, inputs: &Inputs<'a>) -> Numbers<'a, i64> {
    match &inputs.columns[index] {
        ColumnValues::Integers(values) => {
            assert_eq!(
                values.len(),
                inputs.rows,
                "a column has a value in each row"
            );
            Numbers::Each(Cow::Borrowed(values))
        }
        ColumnValues::SameInteger(value) => Numbers::Same(*value),
        ColumnValues::Chars(_) | ColumnValues::Texts(_) | ColumnValues::SameText(_) => {
            panic!("column {index} holds text, and was checked as numbers")
        }
    }
}

/// An instant that can be given; the least 64-bit number stands for NULL.
fn parameter<'a, L: Lane>(instant: Nanos) -> Numbers<'a, L> {
    Numbers::Same(L::fitting(instant.0.max(NULL + 1).into()))
}

fn unless_null<L: Lane>(value: L, with: fn(L) -> L) -> L {
    if value == L::NULL { value } else { with(value) }
}

fn combine<'a, L: Lane>(
    left: Numbers<'a, L>,
    right: &Numbers<'a, L>,
    with: impl Fn(L, L) -> L,
) -> Numbers<'a, L> {
    // Computed in any case and then left out, which the compiler does for many rows at once.
    let with = |left: L, right: L| {
        let value = with(left, right);
        let null = (left == L::NULL) | (right == L::NULL);
        if null { L::NULL } else { value }
    };
    match (left, right) {
        (Numbers::Each(left), Numbers::Each(right)) => {
            let pairs = left.iter().zip(right.iter());
            Numbers::Each(pairs.map(|(left, right)| with(*left, *right)).collect())
        }
        (Numbers::Each(left), Numbers::Same(right)) => {
            Numbers::Each(left.iter().map(|left| with(*left, *right)).collect())
        }
        (Numbers::Same(left), Numbers::Each(right)) => {
            Numbers::Each(right.iter().map(|right| with(left, *right)).collect())
        }
        (Numbers::Same(left), Numbers::Same(right)) => Numbers::Same(with(left, *right)),
    }
}
