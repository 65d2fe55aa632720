//! The COPY format, read back by its documentation alone.

/// A field's bytes, or `None` for NULL.
pub type Field = Option<Vec<u8>>;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("as many as were taken")
    }
}

/// The tuples of a whole file.
pub fn tuples(file: &[u8]) -> Vec<Vec<Field>> {
    let mut bytes = Bytes(file);
    assert_eq!(bytes.take(SIGNATURE.len()), SIGNATURE);
    assert_eq!(i32::from_be_bytes(bytes.number()), 0, "flags");
    assert_eq!(i32::from_be_bytes(bytes.number()), 0, "extension");
    let mut tuples = Vec::new();
    loop {
        let count = i16::from_be_bytes(bytes.number());
        if count == -1 {
            assert!(bytes.0.is_empty(), "something comes after the trailer");
            return tuples;
        }
        let field = |_| match i32::from_be_bytes(bytes.number()) {
            -1 => None,
            length => Some(
                bytes
                    .take(usize::try_from(length).expect("a length, or -1"))
                    .to_vec(),
            ),
        };
        tuples.push((0..count).map(field).collect());
    }
}

pub fn bigint(field: &Field) -> Option<i64> {
    let bytes = field.as_deref()?;
    Some(i64::from_be_bytes(bytes.try_into().expect("eight bytes")))
}

pub fn text(field: &Field) -> Option<String> {
    field
        .clone()
        .map(|bytes| String::from_utf8(bytes).expect("text is UTF-8"))
}

/// Billionths: the sum of each digit times 10,000 to the power of the weight less the digit's place.
pub fn numeric(field: &Field) -> Option<i128> {
    let mut bytes = Bytes(field.as_deref()?);
    let count = i16::from_be_bytes(bytes.number());
    let weight = i16::from_be_bytes(bytes.number());
    let sign = u16::from_be_bytes(bytes.number());
    assert_eq!(i16::from_be_bytes(bytes.number()), 9, "decimals");
    let digits: Vec<_> = (0..count)
        .map(|_| i16::from_be_bytes(bytes.number()))
        .collect();
    assert!(bytes.0.is_empty(), "something comes after the digits");
    assert!(digits.iter().all(|digit| (0..10_000).contains(digit)));
    assert_ne!(digits.first(), Some(&0), "a leading zero");
    assert_ne!(digits.last(), Some(&0), "a trailing zero");
    // In units of 10,000 to the power of -3, which is a thousandth of a billionth.
    let parts = digits.iter().zip(0..).map(|(digit, place)| {
        let power = u32::try_from(weight - place + 3).expect("at most twelve decimals");
        i128::from(*digit) * 10_000_i128.pow(power)
    });
    let total: i128 = parts.sum();
    assert_eq!(total % 1_000, 0, "more than nine decimals");
    match sign {
        0x0000 => Some(total / 1_000),
        0x4000 if total > 0 => Some(-total / 1_000),
        other => panic!("sign {other:#x} of {total}"),
    }
}

/// Nanoseconds since 1970, from microseconds since 2000 and the remainder.
pub fn instant(microseconds: &Field, remainder: &Field) -> Option<i128> {
    let days_to_2000 = 30 * 365 + 7;
    let Some(microseconds) = bigint(microseconds) else {
        assert_eq!(remainder, &None);
        return None;
    };
    let remainder = remainder.as_deref().expect("both are NULL, or neither");
    let remainder = i16::from_be_bytes(remainder.try_into().expect("two bytes"));
    assert!((0..1_000).contains(&remainder));
    let since_1970 = i128::from(microseconds) + days_to_2000 * 86_400_000_000;
    Some(since_1970 * 1_000 + i128::from(remainder))
}
