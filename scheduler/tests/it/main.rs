//! The scheduler's tests: stories on the real binary, store and protocol, and the planner's properties.

mod installation;
mod bad_input;
mod crashes;
mod endings;
mod golden;
mod journeys;
