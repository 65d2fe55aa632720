//! The vendor's historical service: what can be asked, at what pace, and what its refusals mean.

pub mod client;
pub mod error;
pub mod limiter;
pub mod retry;

pub use client::{RangeRequest, RangeStream, Resolution, SymbolWindow, Vendor};
pub use error::VendorError;
