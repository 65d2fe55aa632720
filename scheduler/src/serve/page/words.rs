//! Numbers and times for people.

use common::chunk::JobId;
use common::money::Usd;
use common::time::Nanos;
use maud::{Markup, html};

use crate::overview::words::in_words;

/// Characters of an error that are shown.
const ERROR_MAX: usize = 400;

/// An instant: the time of day, and all of it for whoever points at it.
pub fn clock(instant: Nanos) -> Markup {
    let text = instant.to_string();
    let time = text.get(11..19).unwrap_or(&text);
    html! { time datetime=(text) title=(text) { (time) } }
}

/// How long before `now` an instant is, or after it: `12 min`.
pub fn between(earlier: Nanos, later: Nanos) -> String {
    let nanos = later.0.saturating_sub(earlier.0).max(0);
    in_words(u64::try_from(nanos / 1_000_000_000).unwrap_or_default())
}

/// A number with three digits or so: 950, 12.3k, 4.56M.
pub fn compact(number: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let unit = UNITS.iter().find(|(size, _)| number >= *size);
    let Some((size, letter)) = unit else {
        return number.to_string();
    };
    let (whole, hundredths) = (number / size, number % size * 100 / size);
    match (whole, hundredths) {
        (_, 0) | (100.., _) => format!("{whole}{letter}"),
        (10.., _) | (_, 10 | 20 | 30 | 40 | 50 | 60 | 70 | 80 | 90) => {
            format!("{whole}.{}{letter}", hundredths / 10)
        }
        _ => format!("{whole}.{hundredths:02}{letter}"),
    }
}

/// A number of bytes: 950 B, 12.3 kB.
pub fn bytes(number: u64) -> String {
    let text = compact(number);
    match text.find(|letter: char| letter.is_ascii_alphabetic()) {
        Some(at) => format!("{} {}B", &text[..at], &text[at..]),
        None => format!("{text} B"),
    }
}

/// An amount in whole cents, for people; all of it for whoever points at it.
pub fn dollars(amount: Usd) -> Markup {
    let cents = (i128::from(amount.0) + 5_000_000).div_euclid(10_000_000);
    let text = match (amount.0, cents) {
        (1.., 0) => "< $0.01".to_owned(),
        _ => format!("${}.{:02}", cents.div_euclid(100), cents.rem_euclid(100)),
    };
    html! { span.dollars title={ "$" (amount) } { (text) } }
}

/// An error, cut where it goes on and on.
pub fn error(text: &str) -> String {
    let mut shown: String = text.chars().take(ERROR_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// A job, by its number and its name.
pub fn job(id: JobId, name: &str) -> Markup {
    html! { span.id { (id) } " " span.name { (name) } }
}

/// A command that can be copied: with the script by a button, without it by hand.
pub fn command(text: &str) -> Markup {
    html! {
        span.command {
            code { (text) }
            button.copy type="button" data-copy=(text) aria-label={ "Copy " (text) } { "Copy" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_or_so() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (1_234, "1.23k"),
            (1_204, "1.2k"),
            (1_500, "1.5k"),
            (12_345, "12.3k"),
            (123_456, "123k"),
            (4_560_000, "4.56M"),
            (u64::MAX, "18446744T"),
        ] {
            assert_eq!(compact(number), text);
        }
        assert_eq!(bytes(512), "512 B");
        let shown = |nanos| dollars(Usd(nanos)).into_string();
        assert!(shown(352_185_792).contains(">$0.35<"));
        assert!(shown(1_999_000_000).contains(">$2.00<"));
        assert!(shown(1).contains("title=\"$0.000000001\">&lt; $0.01<"));
        assert_eq!(bytes(12_345), "12.3 kB");
    }
}
