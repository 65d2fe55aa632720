//! The vendor's historical service: what can be asked, at what pace, and what its refusals mean.

pub mod range_request;
pub mod resolution;
pub mod client;
pub mod conditions;
pub(crate) mod dates;
pub mod error;
pub mod limiter;
mod recent;
pub mod retry;

pub use client::{RangeStream, Vendor};
pub use conditions::{Condition, DayCondition};
pub use error::VendorError;
pub use limiter::Limiter;
pub use range_request::RangeRequest;
pub use resolution::{Resolution, SymbolWindow};
