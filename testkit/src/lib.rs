//! What tests share: a private installation, servers and a proxy, checksums, and real data where it is.

pub mod sandbox;
pub mod checksum;
pub mod database;
pub mod engine;
pub mod shared_data;
pub mod small;
pub mod postgres;
pub mod timescale;
pub mod redis;
pub mod s3;
pub mod proxy;
pub mod processes;
pub mod scrape;
mod attended;
pub mod installed;
pub mod port;
