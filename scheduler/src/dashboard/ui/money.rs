//! What was spent, against what may be.

use common::money::Usd;
use ratatui::layout::Rect;

use super::Canvas;
use super::cell::{bar, dollars, printed};

impl Canvas<'_> {
    /// The month's budget, then the jobs with limits of their own.
    pub fn draw_money(&mut self, area: Rect) {
        let money = &self.picture.overview.money;
        let title = format!("Spent in {}, $", money.month);
        let area = self.title(area, &title, None);
        let spent = money.spent.settled + money.spent.reserved;
        let mut row = 0;
        match money.budget {
            Some(budget) => self.limit(area, &mut row, "all jobs", spent, budget),
            None => {
                let text = format!("{}, without a budget", dollars(spent));
                self.line(area, row, &text, self.palette.plain());
                row += 1;
            }
        }
        let text = format!(
            "{} of it reserved, {} saved",
            dollars(money.spent.reserved),
            dollars(money.spent.saved)
        );
        self.line(area, row, &text, self.palette.faint());
        row += 1;
        for job in &money.limited {
            let name = format!("{} ({})", printed(&job.name), job.job);
            self.limit(area, &mut row, &name, job.committed, job.limit);
        }
    }

    fn limit(&mut self, area: Rect, row: &mut u16, whose: &str, spent: Usd, limit: Usd) {
        let (part, whole) = (spent.0.max(0).unsigned_abs(), limit.0.max(0).unsigned_abs());
        let share = u128::from(part) * 100;
        let share = share.checked_div(u128::from(whole)).unwrap_or(100);
        let (sign, style) = match share {
            0..80 => (" ", self.palette.good()),
            80..100 => ("!", self.palette.waiting()),
            _ => ("✗", self.palette.bad()),
        };
        let columns = (area.width / 5).min(20);
        let text = format!(
            "{} {sign} {share} % {}/{} {whose}",
            bar(part, whole, columns),
            dollars(spent),
            dollars(limit)
        );
        self.line(area, *row, &text, style);
        *row += 1;
    }
}
