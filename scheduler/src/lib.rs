//! The scheduler: from a job file to a report; the binary `scheduler` only starts it.

pub mod arguments;
pub mod session;
pub mod plan;
pub mod budget;
pub mod submission;
pub mod hints;
pub mod submitted;
pub mod backfill;
pub mod replay;
pub mod proof;
pub mod turn;
pub mod refresh;
pub mod archive_check;
pub mod progress;
pub mod following;
pub mod memory;
pub mod overview;
pub mod dashboard;
pub mod serve;
pub mod report;
pub mod coverage;
pub mod verify;
pub mod exit;
pub mod whole_file;
pub mod confirm;
pub mod commands;
