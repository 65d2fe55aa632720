//! Amounts of money, exact: billionths of a US dollar.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize, Serializer};

/// An amount in billionths of a US dollar.
///
/// It prints in dollars without trailing zeros beyond the cents, and serializes as that text: a
/// JSON number would lose digits in the reader's hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Usd(pub i64);

impl Usd {
    /// The vendor's quote, a float of dollars, rounded up to a billionth; `None` when it is not a
    /// number or does not fit.
    #[must_use]
    pub fn from_quote(dollars: f64) -> Option<Self> {
        // Through the shortest text that gives the same float: 0.1 is meant where it is sent.
        let exact = dollars.to_string().parse::<Decimal>().ok()?;
        // A decimal has 28 places: what is smaller is nothing to it, and yet has to be paid.
        let least = Self(i64::from(dollars > 0.0));
        Self::from_decimal(exact).map(|amount| amount.max(least))
    }

    /// An amount of dollars, rounded up to a billionth; `None` when it does not fit.
    #[must_use]
    pub fn from_decimal(dollars: Decimal) -> Option<Self> {
        let nanos = dollars.checked_mul(Decimal::from(1_000_000_000))?.ceil();
        nanos.to_i64().map(Self)
    }

    /// The share `part / whole` of this amount, rounded up: an estimate never promises too little.
    #[must_use]
    pub fn share(self, part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self(0);
        }
        let product = i128::from(self.0) * i128::from(part);
        let share = (product + i128::from(whole) - 1).div_euclid(i128::from(whole));
        Self(i64::try_from(share).unwrap_or(i64::MAX))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}

impl FromStr for Usd {
    type Err = NotDollars;

    /// Reads a decimal number of dollars, not negative. People write limits: what is below a billionth
    /// is left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dollars: Decimal = text.trim().parse().map_err(|_| NotDollars)?;
        let positive = Some(dollars).filter(|dollars| !dollars.is_sign_negative());
        let whole = positive.map(|dollars| dollars.trunc_with_scale(9));
        whole.and_then(Self::from_decimal).ok_or(NotDollars)
    }
}

impl TryFrom<String> for Usd {
    type Error = NotDollars;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A text that is no amount of dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount of dollars; write for example 25.00")]
pub struct NotDollars;

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = Decimal::new(self.0, 9).normalize();
        if amount.scale() < 2 {
            amount.rescale(2);
        }
        write!(f, "{amount}")
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_keeps_its_digits_and_prints_at_least_cents() {
        assert_eq!(Usd::from_quote(0.1), Some(Usd(100_000_000)));
        assert_eq!(Usd(100_000_000).to_string(), "0.10");
        assert_eq!(Usd(1).to_string(), "0.000000001");
        assert_eq!(Usd::from_quote(f64::NAN), None);
        assert_eq!(Usd::from_quote(-0.0), Some(Usd(0)));
    }

    #[test]
    fn a_quote_is_rounded_up_and_a_limit_down() {
        for dollars in [1e-300, 1e-30, 1e-10, 0.000_000_000_9] {
            assert_eq!(Usd::from_quote(dollars), Some(Usd(1)), "{dollars}");
        }
        assert_eq!(Usd::from_quote(0.000_000_001_1), Some(Usd(2)));
        assert_eq!("0.0000000019".parse(), Ok(Usd(1)));
        assert_eq!("-0.0000000001".parse::<Usd>(), Err(NotDollars));
    }

    #[test]
    fn a_share_is_rounded_up() {
        assert_eq!(Usd(10).share(1, 3), Usd(4));
        assert_eq!(Usd(10).share(0, 3), Usd(0));
        assert_eq!(Usd(10).share(3, 3), Usd(10));
    }
}
