//! The fields of a tuple: each column's values as `PostgreSQL` reads them.

use std::sync::Arc;

use crate::configuration::mapping::ColumnType;
use crate::store::rows::{ColumnValues, NULL};

const LENGTH_BYTES: usize = 4;
const NULL_FIELD: [u8; LENGTH_BYTES] = (-1_i32).to_be_bytes();
/// Bytes of a `bigint`, its length included.
pub(super) const BIGINT_BYTES: usize = LENGTH_BYTES + 8;
const SMALLINT_BYTES: usize = LENGTH_BYTES + 2;
const TIMESTAMP_BYTES: usize = BIGINT_BYTES + SMALLINT_BYTES;
const CHAR_BYTES: usize = LENGTH_BYTES + 1;
/// A `numeric` is four numbers of 16 bits, then its digits: room for eight, of which a price has six.
const NUMERIC_HEAD_BYTES: usize = LENGTH_BYTES + 8;
const NUMERIC_BYTES: usize = NUMERIC_HEAD_BYTES + 16;
const DIGIT_BITS: u32 = 16;
const DIGITS_MAX: u32 = 8;

/// `PostgreSQL` counts from 2000-01-01 UTC.
const POSTGRES_EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;
const NANOS_PER_MICROSECOND: i64 = 1_000;

/// What one column of a block becomes.
pub(super) enum Fields<'a> {
    Bigint(&'a [i64]),
    Numeric(&'a [i64]),
    Timestamp(&'a [i64]),
    Char(&'a [u8]),
    Text(&'a [Option<Arc<str>>]),
    /// The same in every row: encoded once.
    Same(Vec<u8>),
}

impl<'a> Fields<'a> {
    pub(super) fn of(column_type: ColumnType, values: &'a ColumnValues) -> Self {
        match (values, column_type) {
            (ColumnValues::Integers(values), ColumnType::Price) => Self::Numeric(values),
            (ColumnValues::Integers(values), ColumnType::Timestamp) => Self::Timestamp(values),
            (ColumnValues::Integers(values), _) => Self::Bigint(values),
            (ColumnValues::Chars(codes), _) => Self::Char(codes),
            (ColumnValues::Texts(texts), _) => Self::Text(texts),
            (ColumnValues::SameInteger(value), _) => {
                let one = ColumnValues::Integers(vec![*value]);
                Self::Same(Fields::of(column_type, &one).first())
            }
            (ColumnValues::SameText(text), _) => {
                Self::Same(Fields::Text(&[Some(Arc::clone(text))]).first())
            }
        }
    }

    fn first(&self) -> Vec<u8> {
        let mut buffer = vec![0; self.bytes_max()];
        let mut cursor = Cursor::new(&mut buffer);
        self.encode(0, &mut cursor);
        cursor.written().to_vec()
    }

    /// Bytes that any of the values finds room in.
    pub(super) fn bytes_max(&self) -> usize {
        match self {
            Self::Bigint(_) => BIGINT_BYTES,
            Self::Numeric(_) => NUMERIC_BYTES,
            Self::Timestamp(_) => TIMESTAMP_BYTES,
            Self::Char(_) => CHAR_BYTES,
            Self::Text(texts) => {
                let lengths = texts.iter().flatten().map(|text| text.len());
                LENGTH_BYTES + lengths.max().unwrap_or(0)
            }
            Self::Same(field) => field.len(),
        }
    }

    #[inline]
    pub(super) fn encode(&self, row: usize, cursor: &mut Cursor<'_>) {
        match self {
            Self::Bigint(values) => match values[row] {
                NULL => cursor.put(&NULL_FIELD),
                value => cursor.bigint(value),
            },
            Self::Numeric(values) => match values[row] {
                NULL => cursor.put(&NULL_FIELD),
                billionths => cursor.numeric(billionths),
            },
            Self::Timestamp(values) => match values[row] {
                NULL => {
                    cursor.put(&NULL_FIELD);
                    cursor.put(&NULL_FIELD);
                }
                nanos => cursor.timestamp(nanos),
            },
            Self::Char(codes) => match codes[row] {
                0 => cursor.put(&NULL_FIELD),
                code => cursor.put(&[0, 0, 0, 1, code]),
            },
            Self::Text(texts) => match &texts[row] {
                None => cursor.put(&NULL_FIELD),
                Some(text) => cursor.text(text),
            },
            Self::Same(field) => cursor.put(field),
        }
    }
}

/// A buffer, and the place in it where the next field goes.
pub(super) struct Cursor<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, at: 0 }
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.buffer[..self.at]
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        self.buffer[self.at..end].copy_from_slice(bytes);
        self.at = end;
    }

    #[inline]
    pub(super) fn bigint(&mut self, value: i64) {
        let mut field = [0; BIGINT_BYTES];
        field[..LENGTH_BYTES].copy_from_slice(&8_i32.to_be_bytes());
        field[LENGTH_BYTES..].copy_from_slice(&value.to_be_bytes());
        self.put(&field);
    }

    fn text(&mut self, text: &str) {
        let length = i32::try_from(text.len()).expect("a text is shorter than 2 GiB");
        self.put(&length.to_be_bytes());
        self.put(text.as_bytes());
    }

    /// Rounded down, so that the remainder is positive before 1970 too.
    #[inline]
    fn timestamp(&mut self, nanos: i64) {
        let microseconds = nanos.div_euclid(NANOS_PER_MICROSECOND) - POSTGRES_EPOCH_MICROSECONDS;
        let remainder = nanos.rem_euclid(NANOS_PER_MICROSECOND);
        self.bigint(microseconds);
        let [.., high, low] = remainder.to_be_bytes();
        self.put(&[0, 0, 0, 2, high, low]);
    }

    /// The digits are of base 10,000 and aligned to the decimal point: three for the whole units and
    /// three for the billionths, without the zeros at either end.
    #[inline]
    fn numeric(&mut self, billionths: i64) {
        const NEGATIVE: [u8; 2] = 0x4000_u16.to_be_bytes();
        const DECIMALS: u8 = 9;
        let digits = pack_digits(billionths.unsigned_abs());
        if digits == 0 {
            return self.put(&[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, DECIMALS]);
        }
        let zeros = digits.leading_zeros() / DIGIT_BITS;
        let count = DIGITS_MAX - zeros - digits.trailing_zeros() / DIGIT_BITS;
        let weight = 2 - zeros.cast_signed();
        let sign = if billionths < 0 { NEGATIVE } else { [0, 0] };
        let mut field = [0; NUMERIC_BYTES];
        field[..4].copy_from_slice(&(8 + 2 * count).to_be_bytes());
        field[4..6].copy_from_slice(&count.to_be_bytes()[2..]);
        field[6..8].copy_from_slice(&weight.to_be_bytes()[2..]);
        field[8..10].copy_from_slice(&sign);
        field[11] = DECIMALS;
        field[12..].copy_from_slice(&(digits << (DIGIT_BITS * zeros)).to_be_bytes());
        // Written whole, because a copy of fixed length is cheap; the next field overwrites the rest.
        self.buffer[self.at..self.at + NUMERIC_BYTES].copy_from_slice(&field);
        self.at += NUMERIC_HEAD_BYTES + 2 * count as usize;
    }
}

/// Six digits of base 10,000, from the top down.
fn pack_digits(billionths: u64) -> u128 {
    let (units, billionths) = (billionths / 1_000_000_000, billionths % 1_000_000_000);
    let whole = (units / 100_000_000) << 32 | (units / 10_000 % 10_000) << 16 | (units % 10_000);
    let fraction =
        (billionths / 100_000) << 32 | (billionths / 10 % 10_000) << 16 | (billionths % 10 * 1_000);
    u128::from(whole) << 80 | u128::from(fraction) << 32
}
