//! The fleet's workers.

use maud::{Markup, html};

use super::words::between;
use crate::overview::Overview;

/// The table of workers; nothing where there is no fleet.
pub fn workers(overview: &Overview) -> Markup {
    let Some(workers) = &overview.workers else {
        return Markup::default();
    };
    html! {
        section #workers aria-labelledby="workers-head" {
            h2 #workers-head { "Workers" }
            @if workers.is_empty() { p.empty { "None was heard of in the last half minute." } }
            @else {
                table {
                    thead { tr {
                        th scope="col" { "worker" }
                        th.number scope="col" { "chunks" }
                        th.number scope="col" { "heard" }
                    } }
                    tbody {
                        @for worker in workers {
                            tr data-key={ "worker-" (worker.worker) } {
                                th scope="row" { (worker.worker) }
                                td.number { (overview.run_by(&worker.worker)) }
                                td.number { (between(worker.at, overview.at)) " ago" }
                            }
                        }
                    }
                }
            }
        }
    }
}
