//! The patterns of `like`: `%` for any text, `_` for one character.

/// A pattern that was read.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    /// For each ASCII character, whether the text of this character alone matches.
    singles: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Anything,
    OneCharacter,
    Character(char),
}

impl Pattern {
    /// Reads a pattern; `None` when it ends with the escape character.
    pub(super) fn new(text: &str, escape: Option<char>) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                escaping if Some(escaping) == escape => Piece::Character(characters.next()?),
                '%' => Piece::Anything,
                '_' => Piece::OneCharacter,
                other => Piece::Character(other),
            });
        }
        let mut pattern = Self {
            pieces,
            singles: Vec::new(),
        };
        let mut buffer = [0; 4];
        let singles = (0..=u8::MAX)
            .map(|byte| pattern.matches(char::from(byte).encode_utf8(&mut buffer)))
            .collect();
        pattern.singles = singles;
        Some(pattern)
    }

    /// Whether the text of one character matches.
    pub(super) fn matches_single(&self, character: u8) -> bool {
        self.singles[usize::from(character)]
    }

    /// Whether the text matches. On a mismatch only the last `%` takes one character more, which is
    /// enough: whatever an earlier one took, the later one can take as well.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut at = 0;
        let mut rest = text.chars();
        let mut last_anything = None;
        loop {
            if self.pieces.get(at) == Some(&Piece::Anything) {
                at += 1;
                last_anything = Some((at, rest.clone()));
                continue;
            }
            let next = rest.next();
            let fits = match (self.pieces.get(at), next) {
                (None, None) => return true,
                (Some(Piece::OneCharacter), Some(_)) => true,
                (Some(Piece::Character(wanted)), Some(next)) => *wanted == next,
                _ => false,
            };
            if fits {
                at += 1;
                continue;
            }
            let (Some((after, from)), Some(_)) = (&mut last_anything, next) else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            at = *after;
            rest = from.clone();
        }
    }
}
