//! Chunks that run.

use common::time::Nanos;
use maud::{Markup, html};

use super::words::{between, clock, compact, job};
use crate::overview::{Overview, Run};

/// Characters of a chunk's symbols that are shown.
pub const SYMBOLS_SHOWN: usize = 40;

/// The table of chunks that run.
pub fn running(overview: &Overview) -> Markup {
    html! {
        section #running aria-labelledby="running-head" {
            h2 #running-head { "Running" }
            @if overview.running.is_empty() { p.empty { "No chunk runs." } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby="running-head" {
                    table {
                        thead { tr {
                            th scope="col" { "chunk" }
                            th scope="col" { "schema" }
                            th scope="col" { "symbols" }
                            th scope="col" { "days" }
                            th scope="col" { "job" }
                            th scope="col" { "worker" }
                            th scope="col" { "stage" }
                            th.number scope="col" { "records" }
                            th.number scope="col" { "for" }
                            th.number scope="col" { "lease" }
                        } }
                        tbody { @for run in &overview.running { (row(run, overview.at)) } }
                    }
                }
            }
        }
    }
}

fn row(run: &Run, now: Nanos) -> Markup {
    let (working, part) = (&run.working, &run.working.part);
    let expected = working.expected;
    html! {
        tr data-key={ "run-" (part.chunk) } {
            th scope="row" { (part.chunk) }
            td { (part.schema) }
            td.symbols title=(part.symbols_within(400)) { (part.symbols_within(SYMBOLS_SHOWN)) }
            td { (days(part)) }
            td { (job(part.job, &part.job_name)) }
            td { (working.worker) @if working.epoch > 1 { span.quiet { " attempt " (working.epoch) } } }
            td { @if let Some(seen) = &run.seen { (seen.stage) } @else { "–" } }
            td.number {
                @if let Some(seen) = &run.seen { (compact(seen.records)) } @else { "–" }
                span.quiet { " of " (compact(expected)) }
            }
            td.number { (between(working.since, now)) }
            td.number {
                @if working.lease_until < now { span.bad { "over since " (clock(working.lease_until)) } }
                @else { (between(now, working.lease_until)) }
            }
        }
    }
}

/// A chunk's days, the last included.
pub fn days(part: &common::store::Part) -> Markup {
    let (first, last) = (part.days.start(), part.days.end().plus(-1));
    html! {
        span.days { (first) @if first != last { "…" (last) } }
    }
}
