//! The worker: takes chunks from the queue and brings each through fetch and load to its settlement.

pub mod arguments;
pub mod process;
pub mod exit;
pub mod environment;
pub mod activity;
mod patience;
pub mod service;
pub mod reconcile;
mod report;
pub mod pool;
pub mod pipeline;
mod absence;
pub mod fetch;
mod bounds;
pub mod decode;
pub mod transform;
pub mod ownership;
pub mod record_json;
pub mod validate;
mod prepare;
pub mod load;
pub mod replay;
pub mod refresh;
pub mod sample;
pub mod error;
pub mod settle;
