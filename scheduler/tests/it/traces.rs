//! Traces: what a receiver is sent of a fleet's work and of a run, and what a receiver that fails costs.

mod receiver;
mod stories;
