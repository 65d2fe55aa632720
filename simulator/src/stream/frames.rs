//! Frames of records: how many go into one, how they are packed, and how they are damaged.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use super::text::TextStyle;

/// Records of the first frame; each further one has four times as many, up to
/// [`FRAME_RECORDS_MAX`]. So a stream of a hundred records has two frames, and the first bytes of a
/// long one go out at once.
const FRAME_RECORDS_FIRST: u64 = 64;
const FRAME_RECORDS_MAX: u64 = 65_536;

/// Bytes that a frame's records take at most, so that definitions don't take more memory than
/// trades.
const FRAME_BYTES_MAX: u64 = 2 << 20;

const ZSTD_LEVEL: i32 = 1;

/// The number of records in the `index`th frame.
pub(crate) fn frame_records(index: u32, record_size: usize) -> u64 {
    let fitting = FRAME_BYTES_MAX / u64::try_from(record_size).unwrap_or(1);
    FRAME_RECORDS_FIRST
        .saturating_mul(4_u64.saturating_pow(index))
        .min(FRAME_RECORDS_MAX)
        .min(fitting)
}

/// How frames become bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packing {
    /// A zstd frame with a checksum, as the vendor's encoder writes them.
    pub(crate) zstd: bool,
    /// Text in place of DBN.
    pub(crate) text: Option<TextStyle>,
}

/// The header, perhaps, and some records.
#[derive(Debug)]
pub(crate) struct Frame {
    prefix: Vec<u8>,
    body: Vec<u8>,
    pub(crate) records: u64,
}

impl Frame {
    pub(crate) fn new(prefix: Vec<u8>, body: Vec<u8>, record_size: usize) -> Self {
        let records = u64::try_from(body.len() / record_size).unwrap_or(u64::MAX);
        Self {
            prefix,
            body,
            records,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.prefix.is_empty() && self.body.is_empty()
    }

    pub(crate) fn packed(&self, packing: Packing) -> io::Result<Vec<u8>> {
        let plain = self.plain(packing)?;
        if !packing.zstd {
            return Ok(plain.into_owned());
        }
        let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        compressor.include_checksum(true)?;
        let mut packed = compressor.compress(&plain)?;
        // Its room was for the worst case.
        packed.shrink_to_fit();
        Ok(packed)
    }

    fn plain(&self, packing: Packing) -> io::Result<Cow<'_, [u8]>> {
        if self.prefix.is_empty() && packing.text.is_none() {
            return Ok(Cow::Borrowed(&self.body));
        }
        let mut plain = self.prefix.clone();
        match packing.text {
            Some(style) => style.write(&self.body, &mut plain)?,
            None => plain.extend_from_slice(&self.body),
        }
        Ok(Cow::Owned(plain))
    }

    /// The frame with its first `records` records only.
    pub(crate) fn truncated(mut self, records: u64, size: usize) -> Self {
        self.body.truncate(bytes_of(records, size));
        self.records = records.min(self.records);
        self
    }

    /// The frame with its first `records` records and half of the next.
    pub(crate) fn truncated_in_record(self, records: u64, size: usize) -> Self {
        let mut frame = self;
        frame.body.truncate(bytes_of(records, size) + size / 2);
        frame.records = records.min(frame.records);
        frame
    }

    /// How many records are whole in the first bytes of the packed frame.
    pub(crate) fn records_in_part(&self, part: &[u8], packing: Packing, size: usize) -> u64 {
        let unpacked = if packing.zstd {
            unpacked_len(part)
        } else {
            part.len()
        };
        let records = unpacked.saturating_sub(self.prefix.len()) / size;
        u64::try_from(records).unwrap_or(0).min(self.records)
    }
}

fn bytes_of(records: u64, size: usize) -> usize {
    usize::try_from(records)
        .unwrap_or(usize::MAX)
        .saturating_mul(size)
}

/// What a decoder gets out of the first bytes of a frame.
fn unpacked_len(part: &[u8]) -> usize {
    let Ok(mut decoder) = zstd::stream::read::Decoder::with_buffer(part) else {
        return 0;
    };
    let mut buffer = [0; 16 * 1024];
    let mut len = 0;
    while let Ok(read @ 1..) = decoder.read(&mut buffer) {
        len += read;
    }
    len
}

/// The length of the part of a packed frame that holds about `records` of its `total` records: at
/// least one byte, and never all.
pub(crate) fn part_len(packed: usize, records: u64, total: u64) -> usize {
    let share =
        u128::from(records) * u128::try_from(packed).unwrap_or(0) / u128::from(total.max(1));
    usize::try_from(share)
        .unwrap_or(packed)
        .clamp(1, packed.saturating_sub(1).max(1))
}

/// A packed frame with bytes flipped in its middle, where a checksum tells; unpacked records get
/// impossible lengths instead.
pub(crate) fn corrupted(mut packed: Vec<u8>, packing: Packing) -> Vec<u8> {
    let middle = packed.len() / 2;
    if packing.zstd {
        packed
            .iter_mut()
            .skip(middle)
            .take(4)
            .for_each(|byte| *byte ^= 0xA5);
    } else {
        packed
            .iter_mut()
            .skip(middle)
            .take(640)
            .for_each(|byte| *byte = 0);
    }
    packed
}
