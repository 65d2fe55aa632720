//! What `common` promises, on real files and a real database.

mod time;
mod expression;
mod states;
mod requests;
mod archive;
mod storage;
mod archive_parts;
mod files;
mod vendor_errors;
mod limiter;
mod configuration;
mod store;
mod query;
mod standing;
mod copy;
mod queue;
mod progress;
