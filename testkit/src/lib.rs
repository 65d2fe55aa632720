//! What tests share: a private installation, checksums of its tables, and real data where it is.

pub mod sandbox;
pub mod checksum;
pub mod shared_data;
pub mod postgres;
pub mod redis;
