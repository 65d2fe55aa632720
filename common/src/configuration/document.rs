//! A YAML document that is read strictly; each error shows the file, line and column.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

/// What the parser tells whoever calls it, and a person can do nothing about.
const FOR_PROGRAMMERS: [&str; 2] = [
    ", set DuplicateKeyPolicy in Options if acceptable",
    "; use Option<String>",
];

/// A YAML text and where it came from.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file's path, or a name for text that is compiled in.
    pub origin: String,
    /// The YAML text.
    pub text: String,
}

impl Document {
    /// Reads the text into `T`; unknown and doubled keys are errors.
    ///
    /// # Errors
    /// [`Refusal`] with the place in the text.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_saphyr::from_str(&self.text).map_err(|error| {
            let rendered = error.to_string();
            let first = rendered.lines().next().unwrap_or_default();
            let place = error.location().map(|at| (at.line(), at.column()));
            // The line and column stand in front of the message; ours are shown below it.
            let message = place
                .and_then(|(line, column)| {
                    first.strip_prefix(&format!("error: line {line} column {column}: "))
                })
                .unwrap_or(first.strip_prefix("error: ").unwrap_or(first));
            let message = FOR_PROGRAMMERS
                .iter()
                .find_map(|words| message.strip_suffix(words))
                .unwrap_or(message);
            self.refuse(place, message.to_owned(), None)
        })
    }

    /// A refusal of the value at `value`'s place, with what to write instead.
    #[must_use]
    pub fn refuse_at<T>(&self, value: &Spanned<T>, message: String, help: &str) -> Refusal {
        let at: Location = value.referenced;
        let place = (at.line() > 0).then(|| (at.line(), at.column()));
        self.refuse(place, message, Some(help.to_owned()))
    }

    fn refuse(&self, place: Option<(u64, u64)>, message: String, help: Option<String>) -> Refusal {
        let line = place.and_then(|(line, _)| {
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            let line = self.text.lines().nth(index)?;
            (!may_hold_a_key(line)).then(|| line.to_owned())
        });
        Refusal {
            message,
            origin: self.origin.clone(),
            place,
            line,
            help,
        }
    }
}

/// A line with an API key in it, at a wrong place, is not shown: errors end up in logs.
fn may_hold_a_key(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("db-") || line.contains("api_key")
}

/// Input that was refused: what is wrong, where, and what to write instead.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// The file, or the setting's name.
    pub origin: String,
    /// Line and column, from 1, where the input is a file.
    pub place: Option<(u64, u64)>,
    line: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Refusal {
    /// A refusal of something that has no place in a file: a flag or an environment variable.
    #[must_use]
    pub fn of(origin: impl Into<String>, message: impl Into<String>, help: &str) -> Self {
        Self {
            message: message.into(),
            origin: origin.into(),
            place: None,
            line: None,
            help: Some(help.to_owned()),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match self.place {
            None => write!(f, "\n  --> {}", self.origin)?,
            Some((line, column)) => {
                write!(f, "\n  --> {}:{line}:{column}", self.origin)?;
                if let Some(text) = &self.line {
                    let gutter = line.to_string().len();
                    let column = usize::try_from(column).unwrap_or(1);
                    write!(f, "\n{:gutter$} |\n{line} | {text}", "")?;
                    write!(f, "\n{:gutter$} | {:>column$}", "", "^")?;
                }
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

/// The known name nearest to a mistyped one, for "did you mean".
#[must_use]
pub fn nearest<'a>(mistyped: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(mistyped, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}
