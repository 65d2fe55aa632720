//! What `common` promises, on real files and a real database.

mod time;
mod expression;
mod states;
mod requests;
mod archive;
mod vendor_errors;
mod configuration;
mod store;
mod copy;
