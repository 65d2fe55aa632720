//! The test ground's own tests: servers that come back after a kill, connections that are cut, and sums.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod postgres;
mod redis;
mod proxy;
mod checksum;
mod abandoned;
