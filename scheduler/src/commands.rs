//! The commands, one file each.

pub mod demo;
pub mod run;
pub mod plan;
pub mod list_jobs;
pub mod status;
pub mod migrate;
pub mod version;
