//! Random numbers that depend on their key alone, so that any part of a history can be made without
//! the parts before it.

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// A well-mixed number for a key of several parts.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x5851_F42D_4C95_7F2D, |state, part| {
        scramble(state ^ scramble(part.wrapping_add(GOLDEN_GAMMA)))
    })
}

/// A stream of random numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(key: u64) -> Self {
        Self(key)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        scramble(self.0)
    }

    /// A number from 0 up to but not including `bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of 128 bits fits")
    }

    /// True in `permille` of a thousand cases.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// A number from `-bound` to `bound`.
    pub(crate) fn around(&mut self, bound: u32) -> i64 {
        let drawn = self.below(2 * u64::from(bound) + 1);
        i64::try_from(drawn).expect("below 2^33") - i64::from(bound)
    }

    /// A number from 0 up to but not including 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.below_u32(u32::MAX)) / f64::from(u32::MAX)
    }

    pub(crate) fn below_u32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(u64::from(bound))).expect("below a u32")
    }
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Smooth noise in parts per million, -1,000,000 to 1,000,000: a random value at every multiple of
/// `period`, a straight line between them.
pub(crate) fn noise_ppm(key: u64, at: u64, period: u64) -> i64 {
    let corner = |index: u64| {
        let value = Random::new(mix(&[key, period, index])).around(1_000_000);
        i128::from(value)
    };
    let (index, offset) = (at / period, at % period);
    let (left, right) = (corner(index), corner(index + 1));
    let value = left + (right - left) * i128::from(offset) / i128::from(period);
    i64::try_from(value).expect("between two values of 64 bits")
}
