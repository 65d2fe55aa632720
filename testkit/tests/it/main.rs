//! The test ground's own tests: servers that are killed and come back, and connections that are cut.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod postgres;
mod redis;
mod proxy;
mod abandoned;
