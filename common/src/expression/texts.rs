//! Characters and texts, compared row by row without copying them.

use std::sync::Arc;

use super::Inputs;
use super::like::Pattern;
use super::plan::Text;
use super::truth::Truth;
use crate::store::rows::{ColumnValues, NULL};

/// The text in each row, or the same one for all.
#[derive(Clone, Copy)]
pub(super) enum Texts<'a> {
    Chars(&'a [u8]),
    Each(&'a [Option<Arc<str>>]),
    Same(Option<&'a str>),
}

/// The text in each row.
pub(super) fn texts<'a>(text: &'a Text, inputs: &Inputs<'a>) -> Texts<'a> {
    let index = match text {
        Text::Literal(text) => return Texts::Same(Some(text)),
        Text::Column { index, .. } => *index,
    };
    let (texts, rows) = match &inputs.columns[index] {
        ColumnValues::Chars(values) => (Texts::Chars(values), values.len()),
        ColumnValues::Texts(values) => (Texts::Each(values), values.len()),
        ColumnValues::SameText(text) => (Texts::Same(Some(text)), inputs.rows),
        ColumnValues::SameInteger(NULL) => (Texts::Same(None), inputs.rows),
        ColumnValues::Integers(_) | ColumnValues::SameInteger(_) => {
            panic!("column {index} holds numbers, and was checked as text")
        }
    };
    assert_eq!(rows, inputs.rows, "a column has a value in each row");
    texts
}

impl Texts<'_> {
    /// Whether each row has none.
    pub(super) fn are_null(self, rows: usize) -> Vec<Truth> {
        match self {
            Self::Chars(values) => values.iter().map(|value| (*value == 0).into()).collect(),
            Self::Each(values) => values.iter().map(|value| value.is_none().into()).collect(),
            Self::Same(text) => vec![text.is_none().into(); rows],
        }
    }

    /// Whether each row has the same text in both.
    pub(super) fn equal(self, other: Self, rows: usize) -> Vec<Truth> {
        let characters =
            |left: u8, right: u8| Truth::known((left != 0) & (right != 0), left == right);
        match (self, other) {
            (Self::Chars(left), Self::Chars(right)) => {
                let pairs = left.iter().zip(right);
                pairs
                    .map(|(left, right)| characters(*left, *right))
                    .collect()
            }
            (Self::Chars(values), Self::Same(Some(text)))
            | (Self::Same(Some(text)), Self::Chars(values)) => {
                // 255 stands in no column of characters, and so for any text that can't either.
                let wanted = match text.as_bytes() {
                    [byte] => *byte,
                    _ => u8::MAX,
                };
                values
                    .iter()
                    .map(|value| characters(*value, wanted))
                    .collect()
            }
            (Self::Each(values), Self::Same(Some(text)))
            | (Self::Same(Some(text)), Self::Each(values)) => {
                let equal = |value: &Option<Arc<str>>| value.as_deref().map(|it| it == text);
                values.iter().map(|value| Truth::of(equal(value))).collect()
            }
            (left, right) => (0..rows)
                .map(|row| {
                    let mut buffers = ([0; 4], [0; 4]);
                    let left = left.in_row(row, &mut buffers.0);
                    let right = right.in_row(row, &mut buffers.1);
                    Truth::of(left.zip(right).map(|(left, right)| left == right))
                })
                .collect(),
        }
    }

    /// Whether each row's text matches the pattern.
    pub(super) fn like(self, pattern: &Pattern, rows: usize) -> Vec<Truth> {
        let matches = |text: &str| pattern.matches(text);
        match self {
            Self::Chars(values) => values
                .iter()
                .map(|value| Truth::known(*value != 0, pattern.matches_single(*value)))
                .collect(),
            Self::Each(values) => {
                let values = values.iter().map(Option::as_deref);
                values.map(|value| Truth::of(value.map(matches))).collect()
            }
            Self::Same(text) => vec![Truth::of(text.map(matches)); rows],
        }
    }

    fn in_row<'b>(&'b self, row: usize, buffer: &'b mut [u8; 4]) -> Option<&'b str> {
        match self {
            Self::Chars(values) => {
                let value = values[row];
                (value != 0).then(|| &*char::from(value).encode_utf8(buffer))
            }
            Self::Each(values) => values[row].as_deref(),
            Self::Same(text) => *text,
        }
    }
}
