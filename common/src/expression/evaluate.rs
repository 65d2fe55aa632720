//! Values evaluated column by column, and kept as the type that is asked for.

use super::arithmetic::numbers;
use super::convert::{convert, converted};
use super::lane::Numbers;
use super::plan::{Operand, Text};
use super::{Inputs, NotExact, ValueType};
use crate::store::rows::ColumnValues;

/// The value in each row.
pub(super) fn values(
    operand: &Operand,
    inputs: &Inputs<'_>,
    target: ValueType,
) -> Result<ColumnValues, NotExact> {
    match operand {
        Operand::Number(number) if number.wide => {
            converted(numbers::<i128>(number, inputs), number.value_type, target)
        }
        Operand::Number(number) => {
            let values = match numbers::<i64>(number, inputs) {
                Numbers::Each(values) => ColumnValues::Integers(values.into_owned()),
                Numbers::Same(value) => ColumnValues::SameInteger(value),
            };
            convert(values, number.value_type, target)
        }
        Operand::Text(Text::Literal(text)) => {
            let same = ColumnValues::SameText(text.as_str().into());
            convert(same, ValueType::Text, target)
        }
        Operand::Text(Text::Column { index, .. }) => {
            convert(inputs.columns[*index].clone(), operand.value_type(), target)
        }
    }
}
