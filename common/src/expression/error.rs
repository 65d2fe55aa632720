//! What is wrong with an expression: the words, the place, and what to write instead.

use super::ValueType;

/// An expression that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The byte of the text at which the refused part starts.
    pub start: usize,
    /// The byte after its last; the same as `start` where something is missing.
    pub end: usize,
}

impl ExpressionError {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            start: place.start,
            end: place.end,
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        let help = Some(help.into());
        Self { help, ..self }
    }
}

/// A value that the type asked for can't hold, or not exactly. Its row is for whoever knows which
/// record that is, and not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} {} {target}", if *too_large { "is too large for" } else { "can't be held exactly as" })]
pub struct NotExact {
    /// The row, from 0.
    pub row: usize,
    /// The value, as a person writes it.
    pub value: String,
    /// The type asked for.
    pub target: ValueType,
    /// Whether there is no room for it at all; else it has too many decimals, or is another thing.
    pub too_large: bool,
}

/// A part of the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    /// From the start of this place to the end of the other.
    pub(super) fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end,
        }
    }

    /// The words there, cut short where they are many.
    pub(super) fn words(self, text: &str) -> String {
        const CHARACTERS_MAX: usize = 60;
        let words = text.get(self.start..self.end).unwrap_or_default();
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(CHARACTERS_MAX) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}
