//! Log: what every line says that the work on a chunk writes.

use common::chunk::{ChunkId, JobId};
use tracing::Span;
use tracing::field::Empty;

use crate::trace;

/// The span of an attempt at a chunk: its fields are those of each line within it, whatever the level
/// of the line.
#[must_use]
pub fn of_chunk(job: JobId, chunk: ChunkId, attempt: i64, worker: &str) -> Span {
    // Of the least level that is ever let through.
    let span = tracing::error_span!(
        "chunk",
        job = job.0,
        chunk = chunk.0,
        attempt,
        worker,
        trace_id = Empty
    );
    if let Some(id) = trace::id_of(job) {
        span.record("trace_id", id);
    }
    span
}

/// The span of a hint: whose attempt it is, [`claimed`] says once that is known.
pub(crate) fn of_hint(chunk: ChunkId, worker: &str) -> Span {
    tracing::error_span!(
        "chunk",
        job = Empty,
        chunk = chunk.0,
        attempt = Empty,
        worker,
        trace_id = Empty
    )
}

/// Says of a span of [`of_hint`] whose attempt it is.
pub(crate) fn claimed(span: &Span, job: JobId, attempt: i64) {
    span.record("job", job.0);
    span.record("attempt", attempt);
    if let Some(id) = trace::id_of(job) {
        span.record("trace_id", id);
    }
}

/// Does something that blocks on a thread of its own, within the span of who asks for it.
pub(crate) fn on_thread<T: Send + 'static>(
    verb: impl FnOnce() -> T + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(verb))
}
