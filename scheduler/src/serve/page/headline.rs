//! The headline: whether all is well, what needs a person, and the numbers that matter.

use maud::{Markup, html};

use super::words::{clock, command, compact, dollars};
use crate::overview::Overview;
use crate::progress::{counted, thousands};
use crate::serve::concern::Concern;
use crate::serve::watch::Seen;

/// Whether all is well, in a few words.
pub fn standing(seen: &Seen, concerns: &[Concern]) -> Markup {
    let count = u64::try_from(concerns.len()).unwrap_or_default();
    html! {
        @match seen {
            Seen::Away { .. } => p #standing.bad { "The database doesn't answer" },
            Seen::NoDatabase => p #standing.quiet { "Nothing was submitted yet" },
            Seen::Installation(_) if count > 0 => {
                p #standing.bad { (counted(count, "thing")) @if count == 1 { " needs" } @else { " need" } " a person" }
            }
            Seen::Installation(_) => p #standing.good { "All is well" },
        }
        @if let Some(overview) = seen.overview() {
            p.quiet #as-of { "as of " (clock(overview.at)) " UTC" }
        }
    }
}

/// What keeps the rest from being told, or from being new.
pub fn trouble(seen: &Seen) -> Markup {
    html! {
        @match seen {
            Seen::Away { since: Some(since), .. } => {
                p.trouble #trouble role="alert" {
                    "The database doesn't answer. What follows is of " (clock(*since)) " UTC."
                }
            }
            Seen::Away { since: None, .. } => {
                p.trouble #trouble role="alert" { "The database doesn't answer. It is asked again each second." }
            }
            Seen::NoDatabase => { (no_jobs()) }
            Seen::Installation(overview) if overview.totals.jobs == 0 => { (no_jobs()) }
            Seen::Installation(_) => {}
        }
    }
}

fn no_jobs() -> Markup {
    html! {
        p.empty #no-jobs { "No jobs yet. This submits one: " (command("scheduler submit JOB.yaml")) }
    }
}

/// What needs a person.
pub fn concerns(concerns: &[Concern]) -> Markup {
    html! {
        @if !concerns.is_empty() {
            section #concerns aria-labelledby="concerns-head" {
                h2 #concerns-head { "Needs a person" }
                ul {
                    @for concern in concerns {
                        li {
                            span.what { (concern.what) }
                            @if let Some(text) = &concern.command { " " (command(text)) }
                        }
                    }
                }
            }
        }
    }
}

/// The numbers that matter.
pub fn figures(overview: &Overview) -> Markup {
    let totals = &overview.totals;
    let hour: u64 = overview.throughput.iter().map(|of| of.rows).sum();
    let spent = overview.money.spent;
    html! {
        dl #figures {
            (figure("chunks done", &thousands(totals.settled), Some(format!("of {}", thousands(totals.wanted))), false))
            (figure("running", &thousands(totals.running), workers(overview), false))
            (figure("given up", &thousands(totals.dead), None, totals.dead > 0))
            (figure("records a second", &thousands(totals.records_per_second), None, false))
            (figure("rows loaded", &compact(totals.rows), Some(format!("{} in the last hour", compact(hour))), false))
            div {
                dt { "spent this month" }
                dd {
                    strong { (dollars(spent.settled + spent.reserved)) }
                    @if let Some(budget) = overview.money.budget { span.quiet { " of " (dollars(budget)) } }
                }
            }
        }
    }
}

fn workers(overview: &Overview) -> Option<String> {
    let workers = overview.workers.as_ref()?.len();
    Some(format!(
        "by {}",
        counted(u64::try_from(workers).ok()?, "worker")
    ))
}

fn figure(what: &str, value: &str, beside: Option<String>, is_bad: bool) -> Markup {
    html! {
        div {
            dt { (what) }
            dd { strong.bad[is_bad] { (value) } @if let Some(beside) = beside { " " span.quiet { (beside) } } }
        }
    }
}
