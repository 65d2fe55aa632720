//! Traces for OpenTelemetry: from a job's submission through the queue to each chunk's commit, by the
//! standard environment variables, in programs that are built with the feature `otel`.
//!
//! | span | parent | what it is |
//! |---|---|---|
//! | `submit` | – | a submission: planned, priced, written; its context is kept with the job |
//! | `plan`, `price`, `write` | `submit` | its parts |
//! | `queue` | `submit` | from when a chunk was due until it was claimed |
//! | `chunk` | `submit` | an attempt at a chunk |
//! | `fetch`, `prepare`, `load`, `commit` | `chunk` | its stages, as `measure.rs` measures them |
//!
//! Spans are told apart from the log's: a line of the log keeps the fields of its chunk, whatever stage
//! it is in, and what is logged decides nothing about what is traced. They wait in a bounded queue for a
//! thread of their own; what finds no room there is left out, and no work ever waits for a receiver.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod otlp;
#[cfg(feature = "otel")]
mod sender;
mod wanted;

#[cfg(not(feature = "otel"))]
pub use absent::{Span, begin, end, is_on};
#[cfg(not(feature = "otel"))]
pub(crate) use absent::{came_to, carried, id_of, note, stage, stage_failed};
#[cfg(feature = "otel")]
pub use otlp::{Span, begin, end, is_on};
#[cfg(feature = "otel")]
pub(crate) use otlp::{came_to, carried, id_of, note, stage, stage_failed};
