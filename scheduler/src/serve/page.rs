//! The page: what an operator looks for, made here and readable as it is; a script only asks for its
//! changing part again, and draws the map. Whatever comes from a job or from elsewhere is escaped by
//! `maud`, which all of it goes through.

mod failures;
mod headline;
mod jobs;
pub mod map;
mod money;
mod running;
mod throughput;
mod words;
mod workers;

use maud::{DOCTYPE, Markup, html};

use super::concern::concerns;
use super::watch::Seen;

/// Between two times that a browser without scripts asks for the page.
const RELOAD_SECONDS: u32 = 10;

/// The whole page of what was seen, which is nothing before the first look. `map` is what stands in the map's place.
#[must_use]
pub fn whole(seen: Option<&Seen>, is_fleet: bool, map: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Backhaul" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
                noscript { meta http-equiv="refresh" content=(RELOAD_SECONDS); }
                script src="/page.js" defer {}
            }
            body {
                p #away role="alert" hidden {}
                p #copied role="status" hidden {}
                div #live { (content(seen, is_fleet, map)) }
                footer {
                    "Times are UTC. The same as JSON: "
                    a href="/api/overview" { "/api/overview" } ", "
                    a href="/api/coverage" { "/api/coverage" } "; for Prometheus: "
                    a href="/metrics" { "/metrics" } "."
                }
            }
        }
    }
}

/// The changing part, as the script asks for it. It leaves the map alone.
#[must_use]
pub fn live(seen: Option<&Seen>, is_fleet: bool) -> Markup {
    content(seen, is_fleet, &html! { section #map {} })
}

fn content(seen: Option<&Seen>, is_fleet: bool, map: &Markup) -> Markup {
    let overview = seen.and_then(Seen::overview);
    let concerns = overview.map_or_else(Vec::new, |of| concerns(of, is_fleet));
    html! {
        header {
            h1 { "Backhaul" }
            @match seen {
                Some(seen) => (headline::standing(seen, &concerns)),
                None => p #standing.quiet { "The database is being asked" },
            }
        }
        main {
            @if let Some(seen) = seen { (headline::trouble(seen)) }
            (headline::concerns(&concerns))
            @if let Some(overview) = overview { (headline::figures(overview)) }
            // The same tree whatever is known: the map stays where it is.
            div.columns #columns {
                div.wide #wide {
                    @if let Some(overview) = overview { (jobs::jobs(overview)) }
                    (map)
                    @if let Some(overview) = overview {
                        (running::running(overview))
                        (failures::failures(overview))
                    }
                }
                div.narrow #narrow {
                    @if let Some(overview) = overview {
                        (throughput::throughput(overview))
                        (money::money(overview))
                        (workers::workers(overview))
                    }
                }
            }
        }
    }
}
