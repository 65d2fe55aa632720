//! Jobs: how far each is, how fast, and what it cost.

use common::store::JobStatus;
use maud::{Markup, html};

use super::words::{compact, dollars, job as job_name};
use crate::following::{percent, wanted};
use crate::overview::words::in_words;
use crate::overview::{JobProgress, Overview};
use crate::progress::{counted, thousands};

/// Parts of a bar, in thousandths.
const WHOLE: u64 = 1_000;

/// The table of jobs.
pub fn jobs(overview: &Overview) -> Markup {
    html! {
        section #jobs aria-labelledby="jobs-head" {
            h2 #jobs-head { "Jobs" }
            @if overview.jobs.is_empty() { p.empty { "None yet." } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby="jobs-head" {
                    table {
                        thead { tr {
                            th scope="col" { "job" }
                            th scope="col" { "state" }
                            th scope="col" { "progress" }
                            th.number scope="col" { "chunks" }
                            th.number scope="col" { "rows" }
                            th.number scope="col" { "rec/s" }
                            th.number scope="col" { "left" }
                            th.number scope="col" { "spent" }
                        } }
                        tbody { @for job in &overview.jobs { (row(job)) } }
                    }
                }
                @if let Some(more) = left_out(overview) {
                    p.quiet { (more) ": " code { "scheduler status" } }
                }
            }
        }
    }
}

/// How many jobs are not shown, and of which kind they are.
fn left_out(overview: &Overview) -> Option<String> {
    let totals = &overview.totals;
    let shown = overview.jobs.iter();
    let shown = shown.filter(|job| !job.status.is_finished());
    let unfinished = totals.unfinished.saturating_sub(shown.count());
    let unfinished = u64::try_from(unfinished).unwrap_or_default();
    let all = totals.jobs.saturating_sub(overview.jobs.len());
    let all = u64::try_from(all).ok().filter(|all| *all > 0)?;
    let jobs = counted(all, "more job");
    Some(match unfinished {
        0 => format!("and {jobs}, finished"),
        of if of == all => format!("and {jobs}, not finished"),
        _ => format!("and {jobs}, {} of them not finished", thousands(unfinished)),
    })
}

fn row(progress: &JobProgress) -> Markup {
    let job = &progress.status;
    let chunks = job.chunks;
    html! {
        tr data-key={ "job-" (job.id) } {
            th scope="row" { (job_name(job.id, &job.name)) }
            td { (state(job)) }
            td.progress { (bar(job)) }
            td.number {
                (thousands(chunks.done + chunks.empty)) span.quiet { " of " (thousands(wanted(job))) }
                @if chunks.dead > 0 { " " span.bad { (thousands(chunks.dead)) " given up" } }
            }
            td.number {
                (compact(job.records.loaded)) span.quiet { " of " (compact(job.records.expected)) }
                @if job.records.quarantined > 0 {
                    " " span.warn { (compact(job.records.quarantined)) " quarantined" }
                }
            }
            td.number { @if let Some(pace) = progress.records_per_second { (thousands(pace)) } @else { "–" } }
            td.number { @if let Some(left) = progress.seconds_left { (in_words(left)) } @else { "–" } }
            td.number {
                (dollars(job.spent_usd))
                @if let Some(limit) = progress.limit { span.quiet { " of " (dollars(limit)) } }
            }
        }
        @if let Some(reason) = &job.reason {
            tr.reason data-key={ "why-" (job.id) } { td colspan="8" { (state_word(job)) ": " (reason) } }
        }
    }
}

fn state_word(job: &JobStatus) -> &'static str {
    if job.state == "cancelled" {
        "cancelled"
    } else {
        "paused"
    }
}

fn state(job: &JobStatus) -> Markup {
    let kind = match job.state {
        "done" => "good",
        "incomplete" => "bad",
        "paused" => "warn",
        "running" => "busy",
        _ => "plain",
    };
    html! { span class={ "state " (kind) } { (job.state) } }
}

/// Chunks by what became of them; the bar's parts are told in words as well.
fn bar(job: &JobStatus) -> Markup {
    let chunks = job.chunks;
    let all = wanted(job).max(1);
    let parts = [
        ("settled", chunks.done + chunks.empty),
        ("running", chunks.running),
        ("dead", chunks.dead),
    ];
    let mut from = 0;
    let placed = parts.map(|(kind, count)| {
        let (x, width) = (from, count * WHOLE / all);
        // What there is is seen, however little it is.
        let width = if count > 0 { width.max(4) } else { 0 };
        from += width;
        (kind, x, width)
    });
    let percent = percent(job);
    let label = format!(
        "{percent} percent: {} settled, {} running, {} given up, of {}",
        parts[0].1, chunks.running, chunks.dead, all
    );
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.whole width="1000" height="10" {}
            @for (kind, x, width) in placed {
                @if width > 0 { rect class=(kind) x=(x) width=(width) height="10" {} }
            }
        }
        span.percent { (percent) " %" }
    }
}
