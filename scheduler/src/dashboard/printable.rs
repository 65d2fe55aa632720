//! Text from elsewhere (a vendor's message, an operator's reason) made safe for a terminal: nothing in
//! it moves the cursor, changes colours, or turns the direction of reading.

/// Characters that are looked at: what is longer has no room on any screen.
const CHARACTERS_MAX: usize = 4_000;

/// The text without control characters and invisible ones; line breaks become blanks.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(CHARACTERS_MAX));
    for character in text.chars().take(CHARACTERS_MAX) {
        match character {
            '\n' | '\r' | '\t' => clean.push(' '),
            character if is_hidden(character) => {}
            character => clean.push(character),
        }
    }
    clean.trim().to_owned()
}

/// Control characters, and those that Unicode has for formatting: seen by nobody, and able to make a
/// text look like another.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
