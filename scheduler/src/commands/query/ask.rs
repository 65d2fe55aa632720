//! From flags to a question.

use common::query::{self, Order, Query};

use super::refusal;
use crate::arguments::{Query as Flags, RowOrder};

/// The question that the flags ask.
pub(super) fn question(flags: &Flags) -> anyhow::Result<Query> {
    let schema = query::schema(&flags.schema, flags.granularity.as_deref()).map_err(refusal)?;
    let order = match flags.order {
        RowOrder::Asc => Order::Ascending,
        RowOrder::Desc => Order::Descending,
    };
    let mut asked = Query::new(schema).order(order);
    asked = asked.symbols(flags.symbols.iter().flat_map(|text| symbols(text)));
    if let Some(dataset) = &flags.dataset {
        asked = asked.dataset(dataset.trim());
    }
    if let Some(start) = &flags.start_date {
        asked = asked.since(query::start(start).map_err(refusal)?);
    }
    if let Some(end) = &flags.end_date {
        asked = asked.until(query::end(end).map_err(refusal)?);
    }
    for side in &flags.side {
        asked = asked.side(self::side(side));
    }
    for kind in &flags.stat_type {
        asked = asked.stat_type(query::stat_type(kind).map_err(refusal)?);
    }
    asked = flags.min_size.into_iter().fold(asked, Query::min_size);
    asked = flags.max_size.into_iter().fold(asked, Query::max_size);
    asked = flags.limit.into_iter().fold(asked, Query::limit);
    asked = flags
        .asset
        .iter()
        .fold(asked, |asked, asset| asked.asset(asset.trim()));
    Ok(flags
        .exchange
        .iter()
        .fold(asked, |asked, exchange| asked.exchange(exchange.trim())))
}

/// The symbols in a text: between commas, or between blanks where these are not a symbol's own.
fn symbols(text: &str) -> Vec<String> {
    let mut symbols = Vec::new();
    for part in text.split(',').map(str::trim) {
        match has_own_blanks(part) {
            true => symbols.push(part.to_owned()),
            false => symbols.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    symbols
}

/// Whether it is one symbol with blanks in it, as options and spreads have: `ESH4 C4800`,
/// `SPY   240119C00470000`, `UD:1V: GN 2310987`.
fn has_own_blanks(part: &str) -> bool {
    const OCC_LENGTH: usize = 21;
    let strike = |word: &str| {
        let number = word.strip_prefix(['C', 'P']);
        number.is_some_and(|number| number.starts_with(|digit: char| digit.is_ascii_digit()))
    };
    part.len() == OCC_LENGTH || part.starts_with("UD:") || part.split(' ').skip(1).any(strike)
}

/// A side as it is written: `A`, `a`, `ask`. What is none is refused with the rest of the question.
fn side(text: &str) -> char {
    match text.trim().to_ascii_lowercase().as_str() {
        "a" | "ask" => 'A',
        "b" | "bid" => 'B',
        "n" | "none" => 'N',
        _ => text
            .trim()
            .chars()
            .next()
            .filter(|side| !"ABN".contains(*side))
            .unwrap_or('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_told_apart_by_commas_and_by_blanks_that_are_not_their_own() {
        for (text, expected) in [
            ("ES.c.0,NQ.c.0", &["ES.c.0", "NQ.c.0"][..]),
            (" ES.c.0 , NQ.c.0 ", &["ES.c.0", "NQ.c.0"]),
            ("ES.c.0 NQ.c.0", &["ES.c.0", "NQ.c.0"]),
            ("ESH4 CLG4", &["ESH4", "CLG4"]),
            ("ESH4 C4800, NQH4", &["ESH4 C4800", "NQH4"]),
            ("SPY   240119C00470000", &["SPY   240119C00470000"]),
            ("UD:1V: GN 2310987", &["UD:1V: GN 2310987"]),
            ("ES.c.0,", &["ES.c.0"]),
        ] {
            assert_eq!(symbols(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_side_is_a_letter_or_a_word() {
        for (text, expected) in [
            ("A", 'A'),
            ("bid", 'B'),
            ("None", 'N'),
            ("x", 'x'),
            ("Aha", '?'),
        ] {
            assert_eq!(side(text), expected, "{text:?}");
        }
    }
}
