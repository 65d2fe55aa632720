//! Parents: `ES.FUT` is the futures and their spreads, `ES.OPT` the options of one product.
//!
//! A stream that was asked for by a parent names its members alone, so the parent is found by them.

use std::sync::Arc;

use super::super::super::StoreError;
use super::super::super::engine::Transaction;
use super::super::super::statement::statement;
use super::super::definitions::{Attribute, changes, spans};
use super::super::held::HeldDataset;
use super::{Meaning, WINDOW, meaning};

/// The letters that stand for months.
const MONTHS: &str = "FGHJKMNQUVXZ";

/// A product's futures, or its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent<'a> {
    root: &'a str,
    options: bool,
}

impl<'a> Parent<'a> {
    pub(super) fn read(symbol: &'a str) -> Option<Self> {
        let (root, kind) = symbol.rsplit_once('.')?;
        let options = match kind {
            "FUT" => false,
            "OPT" => true,
            _ => return None,
        };
        (!root.is_empty()).then_some(Self { root, options })
    }

    /// Whether a raw symbol is written as a member's: `ESH4`, `ESH4-ESM4`; `ESH4 C4800`, or as the
    /// OCC writes it, `SPY   240119C00470000`.
    fn is_written(self, raw: &str) -> bool {
        let Some(rest) = raw.strip_prefix(self.root) else {
            return false;
        };
        let occ = rest.trim_start_matches(' ');
        let occ = raw.len() == 21
            && occ.len() == 15
            && occ.starts_with(|digit: char| digit.is_ascii_digit());
        let Some(year) = rest.strip_prefix(|letter| MONTHS.contains(letter)) else {
            return self.options && occ;
        };
        let after = year.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let digits = year.len() - after.len();
        let of_kind = match self.options {
            false => after.is_empty() || after.starts_with('-'),
            true => after.starts_with(" C") || after.starts_with(" P"),
        };
        (1..=2).contains(&digits) && of_kind
    }

    /// The classes of instruments that it stands for.
    fn classes(self) -> &'static str {
        match self.options {
            false => "('F', 'S')",
            true => "('C', 'P', 'M', 'T')",
        }
    }
}

/// The members of a parent.
pub(super) async fn members(
    on: &mut Transaction,
    datasets: &[HeldDataset],
    parent: &Parent<'_>,
) -> Result<Vec<Meaning>, StoreError> {
    let mut members = by_asset(on, datasets, parent).await?;
    for dataset in datasets {
        let sql = format!(
            "SELECT {WINDOW} FROM symbology
             WHERE dataset = $1 AND stype_in = 'raw_symbol' AND symbol >= $2 AND symbol < $3"
        );
        let asked = statement(sql).bind(&*dataset.name).bind(parent.root);
        let asked = asked.bind(format!("{}\u{10ffff}", parent.root));
        for row in asked.fetch_all(&mut *on).await? {
            if let Some((_, symbol, meaning)) = meaning(&row, dataset)?
                && parent.is_written(&symbol)
            {
                members.push(meaning);
            }
        }
    }
    Ok(members)
}

async fn by_asset(
    on: &mut Transaction,
    datasets: &[HeldDataset],
    parent: &Parent<'_>,
) -> Result<Vec<Meaning>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT instrument_id FROM definitions_data
         WHERE asset = $1 AND instrument_class IN {}",
        parent.classes()
    );
    let rows = statement(sql).bind(parent.root).fetch_all(&mut *on).await?;
    let instruments = rows.iter().map(|row| row.at(0));
    let instruments = instruments.collect::<Result<Vec<i64>, _>>()?;
    let mut members = Vec::new();
    for ((dataset, instrument), said) in changes(on, Attribute::Asset, &instruments).await? {
        let Some(dataset) = datasets.iter().find(|held| *held.name == *dataset) else {
            continue;
        };
        for (_, span) in spans(&said).filter(|(asset, _)| *asset == parent.root) {
            let dataset = Arc::clone(&dataset.name);
            members.push(Meaning {
                dataset,
                instrument,
                span,
            });
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_known_by_how_they_are_written() {
        let futures = Parent::read("ES.FUT").unwrap();
        let options = Parent::read("ES.OPT").unwrap();
        for (raw, future, option) in [
            ("ESH4", true, false),
            ("ESZ24", true, false),
            ("ESH4-ESM4", true, false),
            ("ESH4 C4800", false, true),
            ("ESH4 P4800", false, true),
            ("ESTX", false, false),
            ("EWH4", false, false),
            ("ES", false, false),
            ("ESH", false, false),
            ("ESH2024", false, false),
        ] {
            assert_eq!(futures.is_written(raw), future, "{raw}");
            assert_eq!(options.is_written(raw), option, "{raw}");
        }
        let shares = Parent::read("SPY.OPT").unwrap();
        assert!(shares.is_written("SPY   240119C00470000"));
        assert!(!shares.is_written("SPYX  240119C00470000"));
        assert_eq!(Parent::read("ES.c.0"), None);
        assert_eq!(Parent::read("ES"), None);
    }
}
