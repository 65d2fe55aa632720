//! A YAML document that is read strictly; each error shows the file, line and column.

mod refusal;

use std::ops::Range;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_saphyr::{Location, Spanned};

use self::refusal::Excerpt;
pub use self::refusal::{Refusal, Refusals, extend_with_new_places};

/// What the parser tells whoever calls it, and a person can do nothing about.
const FOR_PROGRAMMERS: [&str; 2] = [
    ", set DuplicateKeyPolicy in Options if acceptable",
    "; use Option<String>",
];
/// How the parser says what a person should be told in other words, and what to do.
const IN_OTHER_WORDS: [(&str, &str, Option<&str>); 5] = [
    (
        "multiple YAML documents detected",
        "the file holds more than one YAML document",
        Some("keep one of them, without `---`"),
    ),
    ("unexpected end of input", "the file ends too early", None),
    ("expected sequence start", "a list is needed here", None),
    (
        "expected mapping start",
        "keys with values are needed here",
        None,
    ),
    (
        "cannot deserialize null into string",
        "there is no value here, or null",
        Some("write one; in quotes where it is the text `null` or `~`"),
    ),
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
            let other = IN_OTHER_WORDS.iter();
            let mut other = other.filter(|(words, ..)| message.starts_with(words));
            match other.next() {
                Some((_, plain, help)) => {
                    self.refuse(place, (*plain).to_owned(), help.map(str::to_owned))
                }
                None => self.refuse(place, message.to_owned(), None),
            }
        })
    }

    /// A refusal of the value at `value`'s place, with what to write instead.
    #[must_use]
    pub fn refuse_at<T>(&self, value: &Spanned<T>, message: String, help: &str) -> Refusal {
        let at: Location = value.referenced;
        let place = (at.line() > 0).then(|| (at.line(), at.column()));
        self.refuse(place, message, Some(help.to_owned()))
    }

    /// A refusal of a part of the text at `value`'s place: of an expression, say. Where the text is
    /// not on one line as it is, its beginning is the place, and the text itself is shown.
    #[must_use]
    pub fn refuse_within(
        &self,
        value: &Spanned<String>,
        part: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Refusal {
        let at: Location = value.referenced;
        let place = (at.line() > 0).then(|| (at.line(), at.column()));
        let mut refusal = self.refuse(place, message, help);
        let text = &value.value;
        let characters = |end: usize| text.get(..end).map_or(0, |text| text.chars().count());
        let before = characters(part.start);
        let marked = characters(part.end).saturating_sub(before).max(1);
        let Some(excerpt) = &mut refusal.excerpt else {
            return refusal;
        };
        excerpt.marked = marked;
        let rest: String = excerpt.text.chars().skip(excerpt.before).collect();
        // A quotation mark may stand in front.
        let written = [text.clone(), format!("\"{text}"), format!("'{text}")];
        match written.iter().position(|written| rest.starts_with(written)) {
            Some(which) => {
                let offset = before + usize::from(which > 0);
                excerpt.before += offset;
                let offset = u64::try_from(offset).unwrap_or_default();
                refusal.place = Some((at.line(), at.column() + offset));
            }
            None if may_hold_a_key(text) => refusal.excerpt = None,
            None => {
                excerpt.text = text.replace('\n', " ");
                excerpt.before = before;
                excerpt.is_line = false;
            }
        }
        refusal
    }

    fn refuse(&self, place: Option<(u64, u64)>, message: String, help: Option<String>) -> Refusal {
        let excerpt = place.and_then(|(line, column)| {
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            // YAML ends a line also at a lone carriage return.
            let text = self.text.replace("\r\n", "\n");
            let line = text.split(['\n', '\r']).nth(index)?;
            let excerpt = Excerpt {
                text: line.to_owned(),
                is_line: true,
                before: usize::try_from(column).ok()?.saturating_sub(1),
                marked: 1,
            };
            (!may_hold_a_key(line)).then(|| Box::new(excerpt))
        });
        Refusal {
            message,
            origin: self.origin.clone(),
            place,
            excerpt,
            help,
        }
    }
}

/// Reads a key that may be left out. Where it is written it has a value: `max_cost_usd:` with nothing
/// behind it must not mean that there is no limit.
///
/// # Errors
/// Those of the value, null among them.
pub fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A line with an API key in it, at a wrong place, is not shown: errors end up in logs.
fn may_hold_a_key(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("db-") || line.contains("api_key")
}
