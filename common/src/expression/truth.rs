//! SQL's three truth values, one byte each, so that whole columns of them are combined at once.

/// False, unknown or true, in this order: `and` is the least of two, `or` the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Truth(u8);

impl Truth {
    /// What a rule fails by.
    pub const FALSE: Self = Self(0);
    /// What comparing with NULL gives.
    pub const UNKNOWN: Self = Self(1);
    /// The condition holds.
    pub const TRUE: Self = Self(2);

    /// The truth of what is known to hold or not; of `None`, unknown.
    #[must_use]
    pub fn of(holds: Option<bool>) -> Self {
        holds.map_or(Self::UNKNOWN, Self::from)
    }

    /// A comparison's truth from whether both sides are known and whether it holds; without a
    /// branch, so that the compiler compares many rows at once.
    pub(super) fn known(known: bool, holds: bool) -> Self {
        Self(u8::from(!known) | (u8::from(known & holds) << 1))
    }

    /// `self and other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// `self or other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Whether it is false: what a rule, like a CHECK constraint, fails by.
    #[must_use]
    pub fn is_false(self) -> bool {
        self == Self::FALSE
    }

    /// Whether it is true.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::TRUE
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        Self(u8::from(holds) << 1)
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        Self(2 - self.0)
    }
}
