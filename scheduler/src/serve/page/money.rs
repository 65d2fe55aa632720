//! Money: what was spent this month, against the budget; and jobs with limits of their own.

use common::money::Usd;
use maud::{Markup, html};

use super::words::{dollars, job};
use crate::overview::Overview;

/// What was spent.
pub fn money(overview: &Overview) -> Markup {
    let money = &overview.money;
    let spent = money.spent;
    html! {
        section #money aria-labelledby="money-head" {
            h2 #money-head { "Money, " (money.month) }
            @match money.budget {
                Some(budget) => {
                    (share("of the budget", spent.settled, spent.reserved, budget))
                }
                None => p.quiet { "No budget is set: " code { "BACKHAUL_BUDGET_USD" } },
            }
            dl.pairs {
                dt { "settled" } dd { (dollars(spent.settled)) }
                dt { "reserved" } dd { (dollars(spent.reserved)) }
                dt { "saved by the archive" } dd { (dollars(spent.saved)) }
                @if let Some(budget) = money.budget { dt { "budget" } dd { (dollars(budget)) } }
            }
            @if !money.limited.is_empty() {
                h3 { "Jobs with a limit" }
                @for of in &money.limited {
                    div.limited data-key={ "limit-" (of.job) } {
                        p {
                            span { (job(of.job, &of.name)) }
                            span { (dollars(of.committed)) span.quiet { " of " (dollars(of.limit)) } }
                        }
                        (share("of the limit", of.committed, Usd(0), of.limit))
                    }
                }
            }
        }
    }
}

/// A bar of what is settled and reserved of an amount.
fn share(of: &str, settled: Usd, reserved: Usd, whole: Usd) -> Markup {
    let thousandths = |amount: Usd| {
        let part = i128::from(amount.0.max(0)) * 1_000;
        // Where nothing may be spent, all of it is.
        part.checked_div(i128::from(whole.0))
            .unwrap_or(1_000)
            .clamp(0, 1_000)
    };
    let (settled, both) = (thousandths(settled), thousandths(settled + reserved));
    let kind = if both > 900 { "dead" } else { "settled" };
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"
            aria-label={ (both / 10) " percent " (of) } {
            rect.whole width="1000" height="10" {}
            rect class=(kind) width=(settled) height="10" {}
            rect.running x=(settled) width=(both - settled) height="10" {}
        }
        p.share.quiet { (both / 10) " % " (of) }
    }
}
