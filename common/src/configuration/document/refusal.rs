//! What was refused of a person's input: the words, the place, and what to write instead.

use std::fmt;

/// Characters of a line that are shown around what is wrong.
const SHOWN_CHARACTERS: usize = 100;

/// Input that was refused: what is wrong, where, and what to write instead.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// The file, or the setting's name.
    pub origin: String,
    /// Line and column, from 1, where the input is a file.
    pub place: Option<(u64, u64)>,
    pub(super) excerpt: Option<Box<Excerpt>>,
    /// What to write instead.
    pub help: Option<String>,
}

/// What is shown of a file at the place of an error.
#[derive(Debug)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// Whether it is a line of the file; else it is text that stands over several.
    pub(super) is_line: bool,
    /// Characters before what is wrong, and of what is wrong.
    pub(super) before: usize,
    pub(super) marked: usize,
}

impl Excerpt {
    fn show(&self, line: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = line.to_string();
        let gutter = number.len();
        let number = if self.is_line { &number } else { "" };
        let (text, before, marked) = self.window();
        let marks = "^".repeat(marked);
        write!(f, "\n{:gutter$} |\n{number:gutter$} | {text}", "")?;
        write!(f, "\n{:gutter$} | {:before$}{marks}", "", "")
    }

    /// The part around the mark that a terminal has room for: its text, the characters before the
    /// mark, and the mark's.
    fn window(&self) -> (String, usize, usize) {
        let characters: Vec<char> = self.text.chars().collect();
        let end = characters.len();
        // A mark may stand behind the last character.
        let before = self.before.min(end);
        if end <= SHOWN_CHARACTERS {
            return (plain(&characters), before, self.marked);
        }
        let marked = self.marked.min(SHOWN_CHARACTERS / 2);
        let margin = (SHOWN_CHARACTERS - marked) / 2;
        let start = before.saturating_sub(margin);
        let start = start.min(end - SHOWN_CHARACTERS);
        let stop = start + SHOWN_CHARACTERS;
        let (cut_before, cut_after) = (start > 0, stop < end);
        let shown = plain(&characters[start..stop]);
        let head = if cut_before { "…" } else { "" };
        let tail = if cut_after { "…" } else { "" };
        let before = before - start + usize::from(cut_before);
        (format!("{head}{shown}{tail}"), before, marked)
    }
}

/// One place a character: tabs and other control characters are blanks.
fn plain(characters: &[char]) -> String {
    let shown = |letter: &char| if letter.is_control() { ' ' } else { *letter };
    characters.iter().map(shown).collect()
}

impl Refusal {
    /// A refusal of something that has no place in a file: a flag or an environment variable.
    #[must_use]
    pub fn of(origin: impl Into<String>, message: impl Into<String>, help: &str) -> Self {
        Self {
            message: message.into(),
            origin: origin.into(),
            place: None,
            excerpt: None,
            help: Some(help.to_owned()),
        }
    }
}

impl std::error::Error for Refusal {}

/// All that was refused, where everything is told at once.
#[derive(Debug)]
pub struct Refusals(pub Vec<Refusal>);

impl std::error::Error for Refusals {}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

/// Adds refusals of what is not refused yet, by its place.
pub fn extend_with_new_places(refusals: &mut Vec<Refusal>, more: Vec<Refusal>) {
    let told = refusals.len();
    for refusal in more {
        let same = |known: &Refusal| {
            known.origin == refusal.origin
                && known.place == refusal.place
                && (known.place.is_some() || known.message == refusal.message)
        };
        if !refusals.iter().take(told).any(same) {
            refusals.push(refusal);
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match self.place {
            None => write!(f, "\n  --> {}", self.origin)?,
            Some((line, column)) => {
                write!(f, "\n  --> {}:{line}:{column}", self.origin)?;
                if let Some(excerpt) = &self.excerpt {
                    excerpt.show(line, f)?;
                }
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}
