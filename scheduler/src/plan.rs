//! Plan: what was asked for, without what is held, is what is missing.
//!
//! This part is pure: no clock, no network, no database. `plan::price` asks the vendor how much each
//! missing piece holds and cuts it into chunks.

pub mod missing;
pub mod price;
pub mod archived;

pub use price::{Plan, plan};
