//! Plan: what was asked for, without what is held, is what is missing.
//!
//! `plan::missing` is pure: no clock, no network, no database. `plan::cut` asks the source how much each
//! missing piece holds and cuts it into chunks; `plan::price` prices them.

pub mod missing;
pub mod cut;
pub mod price;
pub mod archived;

pub use price::{Plan, plan};
