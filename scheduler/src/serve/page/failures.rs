//! Chunks that failed: why, and what to do about it.

use common::chunk::ChunkState;
use common::store::Failure;
use common::time::Nanos;
use maud::{Markup, html};

use super::running::{SYMBOLS_SHOWN, days};
use super::words::{between, clock, command, error, job};
use crate::overview::Overview;
use crate::overview::words::command_after;
use crate::progress::counted;

/// The list of failures.
pub fn failures(overview: &Overview) -> Markup {
    html! {
        section #failures aria-labelledby="failures-head" {
            h2 #failures-head { "Failures" }
            @if overview.failures.is_empty() { p.empty { "No chunk is given up, and none waits for another try." } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby="failures-head" {
                    table {
                        thead { tr {
                            th scope="col" { "chunk" }
                            th scope="col" { "what" }
                            th scope="col" { "why" }
                            th scope="col" { "next" }
                        } }
                        tbody { @for failure in &overview.failures { (row(failure, overview.at)) } }
                    }
                }
            }
        }
    }
}

fn row(failure: &Failure, now: Nanos) -> Markup {
    let part = &failure.part;
    html! {
        tr data-key={ "failure-" (part.chunk) } {
            th scope="row" { (part.chunk) }
            td {
                (part.schema) " " span.symbols title=(part.symbols_within(400)) { (part.symbols_within(SYMBOLS_SHOWN)) }
                br; (days(part)) " " span.quiet { "of " (job(part.job, &part.job_name)) }
            }
            td.why {
                span.error { (error(&failure.error)) }
                br; span.quiet { (counted(failure.failures, "failed attempt")) ", the last at " (clock(failure.at)) }
            }
            td {
                (next(failure, now))
                br; (command(&command_after(failure)))
            }
        }
    }
}

fn next(failure: &Failure, now: Nanos) -> Markup {
    html! {
        @match failure.state {
            ChunkState::Dead => span.state.bad { "given up" },
            _ if failure.due_at <= now => span.state.busy { "tried again now" },
            _ => span.state.warn { "tried again in " (between(now, failure.due_at)) },
        }
    }
}
