//! Progress in Redis, as people with Redis tools read it.

#![expect(
    clippy::unwrap_used,
    reason = "a story fails its test by panicking, though it is no test by itself"
)]

mod ground;
mod jobs;
mod estimates;
mod dead;
mod workers;
mod pruning;
mod events;
mod wiped;
mod cost;
