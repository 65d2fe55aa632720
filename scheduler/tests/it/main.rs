//! The scheduler's tests: stories on the real binary, store and protocol, and the planner's properties.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod installation;
mod bad_input;
mod budget;
mod coverage;
mod crashes;
mod days;
mod endings;
mod files;
#[macro_use]
mod fleet_commands;
mod dashboard;
mod golden;
mod journeys;
mod planning;
mod quality;
mod replays;
mod query;
mod serve;
mod verify;
mod proofs;
mod refreshes;
mod archive_checks;
#[cfg(feature = "otel")]
mod traces;
mod command_lines;
mod documentation;
mod on_postgresql;
