//! Numbers and timestamps as they are computed: exactly, with bounds that are known beforehand.
//!
//! Every part knows the least and the greatest value that it can have. Where both fit 64 bits it is
//! computed in 64 bits, otherwise in 128; what could pass 128 is refused before any row is read.

use super::syntax::Sign;
use super::{Column, ValueType};
use crate::store::rows::NULL;

/// Mantissas with more decimals than this can't be aligned with any other in 128 bits.
const SCALE_MAX: u8 = 38;

/// A number or a timestamp, whose value is its mantissa at its type's scale.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) formula: Formula,
    pub(super) value_type: ValueType,
    pub(super) nullable: bool,
    pub(super) bounds: Bounds,
    /// Whether it, or a part of it, needs 128 bits.
    pub(super) wide: bool,
}

/// How a number comes about.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    Column(usize),
    Constant(i128),
    ChunkStart,
    ChunkEnd,
    Negate(Box<Number>),
    /// Terms of one scale.
    Sum(Vec<(Sign, Number)>),
    Product(Vec<Number>),
}

/// The least and the greatest mantissa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: i128,
    pub(super) greatest: i128,
}

impl Bounds {
    const NARROW: Self = Self {
        least: NULL as i128 + 1,
        greatest: i64::MAX as i128,
    };

    /// What holds all of them; `None` when one is missing, or would stand for NULL.
    fn of(corners: [Option<i128>; 4]) -> Option<Self> {
        let [a, b, c, d] = corners;
        let corners = [a?, b?, c?, d?];
        let least = corners.into_iter().min()?;
        let greatest = corners.into_iter().max()?;
        (least > i128::MIN).then_some(Self { least, greatest })
    }

    fn is_wide(self) -> bool {
        self.least < Self::NARROW.least || self.greatest > Self::NARROW.greatest
    }

    fn combine(self, other: Self, with: fn(i128, i128) -> Option<i128>) -> Option<Self> {
        Self::of([
            with(self.least, other.least),
            with(self.least, other.greatest),
            with(self.greatest, other.least),
            with(self.greatest, other.greatest),
        ])
    }
}

impl Number {
    /// A column of numbers or timestamps.
    pub(super) fn column(index: usize, column: &Column) -> Self {
        let numeric = matches!(column.value_type, ValueType::Number { .. });
        let given = Bounds {
            least: i128::from(column.least).max(Bounds::NARROW.least),
            greatest: i128::from(column.greatest),
        };
        let usable = numeric && given.least <= given.greatest;
        Self {
            formula: Formula::Column(index),
            value_type: column.value_type,
            nullable: column.nullable,
            bounds: if usable { given } else { Bounds::NARROW },
            wide: false,
        }
    }

    /// The same number in all rows; `None` for what stands for NULL.
    pub(super) fn constant(value: i128, value_type: ValueType) -> Option<Self> {
        let bounds = Bounds::of([Some(value); 4])?;
        let formula = Formula::Constant(value);
        let wide = bounds.is_wide();
        Some(Self {
            formula,
            value_type,
            nullable: false,
            bounds,
            wide,
        })
    }

    /// One of the instants that are given at evaluation.
    pub(super) fn parameter(formula: Formula) -> Self {
        Self {
            formula,
            value_type: ValueType::Timestamp,
            nullable: false,
            bounds: Bounds::NARROW,
            wide: false,
        }
    }

    /// Its decimals; a timestamp has none.
    pub(super) fn scale(&self) -> u8 {
        match self.value_type {
            ValueType::Number { scale } => scale,
            ValueType::Timestamp | ValueType::Char | ValueType::Text => 0,
        }
    }

    /// The number with the other sign.
    pub(super) fn negate(self) -> Option<Self> {
        let zero = Bounds {
            least: 0,
            greatest: 0,
        };
        let bounds = zero.combine(self.bounds, i128::checked_sub)?;
        if let Formula::Constant(_) = self.formula {
            return Self::constant(bounds.least, self.value_type);
        }
        Some(Self {
            value_type: self.value_type,
            nullable: self.nullable,
            bounds,
            wide: self.wide | bounds.is_wide(),
            formula: Formula::Negate(Box::new(self)),
        })
    }

    /// The sum of terms of any scales; `None` when 128 bits might not hold it.
    pub(super) fn sum(terms: Vec<(Sign, Self)>, timestamp: bool) -> Option<Self> {
        let scale = terms.iter().map(|(_, term)| term.scale()).max()?;
        let align = |(sign, term): (Sign, Self)| Some((sign, term.at_scale(scale)?));
        let terms = terms.into_iter().map(align).collect::<Option<Vec<_>>>()?;
        let mut bounds = Bounds {
            least: 0,
            greatest: 0,
        };
        let mut wide = false;
        for (sign, term) in &terms {
            let with = match sign {
                Sign::Plus => i128::checked_add,
                Sign::Minus => i128::checked_sub,
            };
            bounds = bounds.combine(term.bounds, with)?;
            wide |= bounds.is_wide() | term.wide;
        }
        let value_type = if timestamp {
            ValueType::Timestamp
        } else {
            ValueType::Number { scale }
        };
        if terms
            .iter()
            .all(|(_, term)| matches!(term.formula, Formula::Constant(_)))
        {
            return Self::constant(bounds.least, value_type);
        }
        let nullable = terms.iter().any(|(_, term)| term.nullable);
        let formula = Formula::Sum(terms);
        Some(Self {
            formula,
            value_type,
            nullable,
            bounds,
            wide,
        })
    }

    /// The product, with the scales of all factors added; `None` when 128 bits might not hold it.
    pub(super) fn product(factors: Vec<Self>) -> Option<Self> {
        let mut bounds = Bounds {
            least: 1,
            greatest: 1,
        };
        let mut scale = 0_u8;
        let mut wide = false;
        for factor in &factors {
            bounds = bounds.combine(factor.bounds, i128::checked_mul)?;
            scale = scale
                .checked_add(factor.scale())
                .filter(|scale| *scale <= SCALE_MAX)?;
            wide |= bounds.is_wide() | factor.wide;
        }
        let value_type = ValueType::Number { scale };
        if factors
            .iter()
            .all(|factor| matches!(factor.formula, Formula::Constant(_)))
        {
            return Self::constant(bounds.least, value_type);
        }
        let nullable = factors.iter().any(|factor| factor.nullable);
        let formula = Formula::Product(factors);
        Some(Self {
            formula,
            value_type,
            nullable,
            bounds,
            wide,
        })
    }

    /// The same number, written with this many decimals, which are no fewer than its own.
    pub(super) fn at_scale(self, scale: u8) -> Option<Self> {
        let more = scale.checked_sub(self.scale())?;
        if more == 0 {
            return Some(self);
        }
        let factor = 10_i128.checked_pow(u32::from(more))?;
        let factor = Self::constant(factor, ValueType::Number { scale: more })?;
        Self::product(vec![self, factor])
    }
}

/// The numbers with the decimals of the one that has most, so that mantissas can be compared.
pub(super) fn aligned(numbers: Vec<Number>) -> Option<Vec<Number>> {
    let scale = numbers.iter().map(Number::scale).max()?;
    let align = |number: Number| number.at_scale(scale);
    numbers.into_iter().map(align).collect()
}
