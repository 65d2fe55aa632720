//! What every part of Backhaul shares: vocabulary, configuration, vendor, archive, store and queue.

pub mod time;
pub mod money;
pub mod price;
pub mod quality;
pub mod nearest;
pub mod request;
pub mod expression;
pub mod configuration;
pub mod record_layout;
pub mod chunk;
pub mod metrics;
pub mod vendor;
pub mod archive;
pub mod dbn_stream;
pub mod files;
pub mod source;
pub mod integrity;
pub mod store;
pub mod query;
pub mod standing;
pub mod redis;
pub mod queue;
pub mod progress;

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A length as a count.
#[must_use]
pub fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
