//! The simulator as its clients see it.

mod wire;
mod ask;
mod official_client;
mod parameters;
mod refusals;
mod symbols;
mod records;
mod bars;
mod reference_data;
mod any_cut;
mod stream_faults;
mod answer_faults;
mod days;
mod barriers;
mod recorded;
#[cfg(feature = "tls")]
mod https;
#[cfg(all(unix, feature = "cli"))]
mod command_line;
