//! A price: exact billionths, as the vendor counts them.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A price in billionths of the instrument's currency unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(pub i64);

impl Price {
    /// The exact price, or `None` when it has more than nine decimals or does not fit.
    #[must_use]
    pub fn from_decimal(price: Decimal) -> Option<Self> {
        let billionths = price.checked_mul(Decimal::from(1_000_000_000))?;
        billionths
            .is_integer()
            .then(|| billionths.to_i64())?
            .map(Self)
    }

    /// The price as a decimal number.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 9)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().normalize().fmt(f)
    }
}
