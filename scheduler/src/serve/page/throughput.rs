//! Throughput: rows and chunks of each of the last sixty minutes, as bars; and in numbers for whoever can't
//! see them.

use common::store::SettledMinute;
use maud::{Markup, html};

use super::words::{bytes, clock, compact};
use crate::overview::Overview;
use crate::progress::thousands;

/// The picture's measures, in its own units.
const WIDTH: u64 = 420;
const HEIGHT: u64 = 118;
const LEFT: u64 = 44;
const TOP: u64 = 20;
const BASE: u64 = 100;
/// What a minute has of the width.
const STEP: u64 = 6;

/// The last hour.
pub fn throughput(overview: &Overview) -> Markup {
    let minutes = &overview.throughput;
    html! {
        section #throughput aria-labelledby="throughput-head" {
            h2 #throughput-head { "The last hour" }
            (chart("rows a minute", minutes, |of| of.rows))
            (chart("chunks a minute", minutes, |of| of.chunks))
            details {
                summary { "In numbers" }
                (numbers(minutes))
            }
        }
    }
}

fn chart(what: &str, minutes: &[SettledMinute], of: impl Fn(&SettledMinute) -> u64) -> Markup {
    let most = minutes.iter().map(&of).max().unwrap_or_default();
    let top = axis_end(most);
    let all: u64 = minutes.iter().map(&of).sum();
    let height = |value: u64| scaled(value, BASE - TOP, top);
    let label = format!(
        "{what}: {} in all, {} at most",
        thousands(all),
        thousands(most)
    );
    let bars = (0u64..).zip(minutes).filter(|(_, minute)| of(minute) > 0);
    let bars = bars.map(|(index, minute)| {
        let height = height(of(minute)).max(1);
        let is_open = usize::try_from(index + 1).ok() == Some(minutes.len());
        (LEFT + index * STEP, BASE - height, height, is_open)
    });
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
            text.what x=(LEFT) y="9" { (what) }
            @for value in [top, top / 2] {
                @let y = BASE - height(value);
                line.grid x1=(LEFT) x2=(LEFT + 60 * STEP) y1=(y) y2=(y) {}
                text.y x=(LEFT - 4) y=(y + 3) { (compact(value)) }
            }
            @for (x, y, height, is_open) in bars {
                rect.open[is_open] x=(x) y=(y) width=(STEP - 1) height=(height) {}
            }
            line.base x1=(LEFT) x2=(LEFT + 60 * STEP) y1=(BASE) y2=(BASE) {}
            text.y x=(LEFT - 4) y=(BASE + 3) { "0" }
            @for (index, minute) in (0u64..).zip(minutes).filter(|(index, _)| index % 15 == 14) {
                @let x = LEFT + index * STEP + STEP / 2;
                text.x x=(x) y=(HEIGHT - 5) { (minute.begins().to_string().get(11..16).unwrap_or_default()) }
            }
        }
    }
}

fn numbers(minutes: &[SettledMinute]) -> Markup {
    let some = minutes.iter().rev().filter(|of| of.chunks > 0);
    html! {
        table {
            thead { tr {
                th scope="col" { "minute" }
                th.number scope="col" { "chunks" }
                th.number scope="col" { "rows" }
                th.number scope="col" { "received" }
            } }
            tbody {
                @for minute in some {
                    tr data-key={ "minute-" (minute.minute) } {
                        th scope="row" { (clock(minute.begins())) }
                        td.number { (thousands(minute.chunks)) }
                        td.number { (thousands(minute.rows)) }
                        td.number { (bytes(minute.bytes)) }
                    }
                }
            }
        }
    }
}

/// Where an axis ends that is to show so much: 2, 4, 10, 20, 40, 100 and so on.
fn axis_end(most: u64) -> u64 {
    let mut end: u64 = 2;
    let mut steps = [(2, 1), (5, 2), (2, 1)].into_iter().cycle();
    while end < most {
        let Some((times, by)) = steps.next() else {
            break;
        };
        let Some(next) = end.checked_mul(times) else {
            return most;
        };
        end = next / by;
    }
    end
}

/// `value` on a scale of `length` that ends with `end`.
fn scaled(value: u64, length: u64, end: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(length) / u128::from(end.max(1));
    u64::try_from(scaled).unwrap_or(length).min(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_soon_after_what_it_shows() {
        for (most, end) in [
            (0, 2),
            (2, 2),
            (3, 4),
            (5, 10),
            (11, 20),
            (21, 40),
            (41, 100),
            (101, 200),
        ] {
            assert_eq!(axis_end(most), end, "{most}");
        }
        assert_eq!(axis_end(u64::MAX), u64::MAX);
    }
}
