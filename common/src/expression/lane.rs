//! Columns of numbers in 64 or 128 bits, with NULL as the least number of each.

use std::borrow::Cow;

use crate::store::rows::NULL;

/// A number as wide as it has to be. What is computed never overflows: the bounds of each number
/// are known, and the checker refused what could.
pub(super) trait Lane: Copy + Ord {
    /// What stands for NULL.
    const NULL: Self;

    /// Whether it has more than 64 bits.
    const WIDE: bool;

    /// A number that is known to fit.
    fn fitting(value: i128) -> Self;

    /// Numbers of 64 bits as such numbers.
    fn widen(narrow: Numbers<'_, i64>) -> Numbers<'_, Self>;

    /// The number in 128 bits, `None` for NULL.
    fn value(self) -> Option<i128>;

    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;

    /// The number with the other sign.
    fn negated(self) -> Self;
}

/// A number for each row, or the same one for all.
#[derive(Clone, Debug)]
pub(super) enum Numbers<'a, L: Lane> {
    Each(Cow<'a, [L]>),
    Same(L),
}

impl Lane for i64 {
    const NULL: Self = NULL;
    const WIDE: bool = false;

    fn fitting(value: i128) -> Self {
        value
            .try_into()
            .expect("a number's bounds were found to fit 64 bits")
    }

    fn widen(narrow: Numbers<'_, i64>) -> Numbers<'_, Self> {
        narrow
    }

    fn value(self) -> Option<i128> {
        (self != NULL).then(|| self.into())
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn times(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }

    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}

impl Lane for i128 {
    const NULL: Self = i128::MIN;
    const WIDE: bool = true;

    fn fitting(value: i128) -> Self {
        value
    }

    fn widen(narrow: Numbers<'_, i64>) -> Numbers<'_, Self> {
        let wide = |value: i64| {
            if value == NULL {
                Self::NULL
            } else {
                value.into()
            }
        };
        match narrow {
            Numbers::Each(values) => {
                Numbers::Each(values.iter().map(|value| wide(*value)).collect())
            }
            Numbers::Same(value) => Numbers::Same(wide(value)),
        }
    }

    fn value(self) -> Option<i128> {
        (self != Self::NULL).then_some(self)
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn times(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }

    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}
