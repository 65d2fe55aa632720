//! The worker's tests: its stages one by one, and whole attempts against a simulated vendor.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod installation;
mod fleet;
mod waiting;
mod service;
mod metrics;
mod logs;
mod failpoints;
mod dbn_stream;
mod ownership;
mod transform;
mod errors;
mod refusals;
mod bounds;
mod vendor_limits;
mod leases;
mod money;
mod budget;
mod cuts;
mod cut_moments;
mod one_fetch;
mod meanings;
mod decode;
mod damage;
mod validate;
mod record_json;
mod replays;
mod refreshes;
mod engines;
mod fleet_queue;
mod redis_over_tls;
mod chaos;
mod rollout;
