//! Text into tokens: words, numbers, texts in quotes, and symbols.

use super::error::{ExpressionError, Place};

/// How many decimals a number may have.
const DECIMALS_MAX: usize = 9;

const KEYWORDS: [&str; 11] = [
    "and", "or", "not", "is", "null", "between", "in", "like", "escape", "true", "false",
];

/// The longest first, for one may begin another.
const SYMBOLS: [&str; 13] = [
    "<=", ">=", "<>", "!=", "<", ">", "=", "(", ")", ",", "+", "-", "*",
];

/// What other languages have, and what to write here.
const REFUSED: [(&str, &str, &str); 12] = [
    (
        "--",
        "comments are not supported",
        "between two minus signs, leave a blank",
    ),
    ("/*", "comments are not supported", "leave it out"),
    ("==", "`==` is not SQL", "write `=`"),
    (
        "||",
        "joining text is not supported",
        "for a condition, write `or`",
    ),
    ("&&", "`&&` is not SQL", "write `and`"),
    (
        "::",
        "casts are not supported",
        "leave it out: values become the column's type",
    ),
    (
        "/",
        "division is not supported",
        "multiply by a decimal instead, for example `* 0.5`",
    ),
    (
        "%",
        "the remainder `%` is not supported",
        "supported are `+`, `-` and `*`",
    ),
    ("!", "`!` is not SQL", "write `not`"),
    (
        "\"",
        "double quotes are not supported",
        "write text as 'text', and column names as they are",
    ),
    (
        "`",
        "backquotes are not supported",
        "write column names as they are",
    ),
    (";", "`;` is not part of an expression", "leave it out"),
];

/// One token; keywords and symbols are those of the lists above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Number { mantissa: i128, scale: u8 },
    Text(String),
    Name(&'a str),
    Keyword(&'static str),
    Symbol(&'static str),
    End,
}

/// The text's tokens, each with its place; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Place)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut start = 0;
    loop {
        let rest = &text[start..];
        let blanks = rest.len() - rest.trim_ascii_start().len();
        start += blanks;
        let rest = &rest[blanks..];
        let Some(first) = rest.chars().next() else {
            let end = Place { start, end: start };
            tokens.push((Token::End, end));
            return Ok(tokens);
        };
        let (token, length) = token(rest, first, start)?;
        let end = start + length;
        tokens.push((token, Place { start, end }));
        start = end;
    }
}

fn token(rest: &str, first: char, start: usize) -> Result<(Token<'_>, usize), ExpressionError> {
    let word_length = |extra: char| {
        rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == extra))
            .unwrap_or(rest.len())
    };
    let digits_follow = rest[first.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
    if first.is_ascii_digit() || (first == '.' && digits_follow) {
        let word = &rest[..word_length('.')];
        return Ok((number(word, start)?, word.len()));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let word = &rest[..word_length('_')];
        let keyword = KEYWORDS
            .iter()
            .find(|keyword| word.eq_ignore_ascii_case(keyword));
        let token = keyword.map_or(Token::Name(word), |keyword| Token::Keyword(keyword));
        return Ok((token, word.len()));
    }
    if first == '\'' {
        return quoted(rest, start);
    }
    let here = |length| Place {
        start,
        end: start + length,
    };
    if let Some((symbol, message, help)) = REFUSED
        .iter()
        .find(|(symbol, ..)| rest.starts_with(symbol) && !rest.starts_with("!="))
    {
        return Err(ExpressionError::new(here(symbol.len()), *message).help(*help));
    }
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
    let symbol = symbol.ok_or_else(|| {
        let message = format!("unexpected character {first:?}");
        ExpressionError::new(here(first.len_utf8()), message)
    })?;
    let meant = if *symbol == "!=" { "<>" } else { symbol };
    Ok((Token::Symbol(meant), symbol.len()))
}

fn number(word: &str, start: usize) -> Result<Token<'static>, ExpressionError> {
    let end = start + word.len();
    let refuse = |why: &str| ExpressionError::new(Place { start, end }, format!("`{word}` {why}"));
    let (whole, decimals) = word.split_once('.').unwrap_or((word, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) {
        let exponent = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        return Err(if exponent.starts_with(['e', 'E']) {
            refuse("has an exponent").help("write all digits, for example 1000000 for 1e6")
        } else if word.contains('_') {
            refuse("is not a number").help("write the digits without `_`")
        } else {
            refuse("is not a number")
        });
    }
    if decimals.len() > DECIMALS_MAX {
        return Err(refuse("has more than 9 decimals"));
    }
    let decimals = decimals.trim_end_matches('0');
    let mantissa = format!("{whole}{decimals}");
    let mantissa = if mantissa.is_empty() { "0" } else { &mantissa };
    let mantissa = mantissa.parse().map_err(|_| refuse("is too large"))?;
    let scale = u8::try_from(decimals.len()).unwrap_or(u8::MAX);
    Ok(Token::Number { mantissa, scale })
}

/// Text in single quotes; a quote within is doubled.
fn quoted(rest: &str, start: usize) -> Result<(Token<'_>, usize), ExpressionError> {
    let mut text = String::new();
    let mut at = 1;
    while let Some(length) = rest[at..].find('\'') {
        text.push_str(&rest[at..at + length]);
        at += length + 1;
        if !rest[at..].starts_with('\'') {
            if text.contains('\0') {
                let place = Place {
                    start,
                    end: start + at,
                };
                return Err(ExpressionError::new(
                    place,
                    "text can't hold the character NUL",
                ));
            }
            return Ok((Token::Text(text), at));
        }
        text.push('\'');
        at += 1;
    }
    let end = start + rest.len();
    Err(
        ExpressionError::new(Place { start, end }, "the text that starts here has no end")
            .help("close it with ', and write '' for a quote within it"),
    )
}
