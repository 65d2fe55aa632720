//! The jobs: how far each is, how fast it goes, what it cost, and why it is paused.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Canvas;
use super::cell::{Cell, bar, dollars, row, short, with_command};
use super::list::{self, Item};
use crate::following::{percent, wanted};
use crate::overview::JobProgress;
use crate::overview::words::in_words;
use crate::progress::{counted, thousands};
use crate::submitted::title;

use super::super::state::Pane;

/// Columns beside the name, which takes what they leave.
struct Widths {
    name: u16,
    gauge: u16,
    /// Nothing where there is no room for them.
    spent: u16,
    left: u16,
    chunks: u16,
    rate: u16,
    /// Numbers in few digits.
    is_narrow: bool,
}

const STATE: u16 = 10;
const PERCENT: u16 = 5;

impl Widths {
    fn within(width: u16) -> Self {
        let is_narrow = width < 110;
        let (gauge, left, spent, chunks) = match width {
            0..66 => (6, 0, 0, 11),
            66..76 => (6, 10, 0, 11),
            76..110 => (6, 10, 8, 11),
            110..160 => (16, 11, 11, 19),
            _ => (40, 12, 12, 21),
        };
        let rate = if is_narrow { 7 } else { 9 };
        // Each column has a blank before it, and the cursor and the sign come first.
        let with_blank = |columns: u16| if columns > 0 { columns + 1 } else { 0 };
        let taken = 2 + (STATE + 1) + (gauge + 1) + (PERCENT + 1) + (chunks + 1) + (rate + 1);
        let taken = taken + with_blank(left) + with_blank(spent);
        Self {
            name: width.saturating_sub(taken + 1),
            gauge,
            spent,
            left,
            chunks,
            rate,
            is_narrow,
        }
    }
}

impl Canvas<'_> {
    /// Rows that the jobs would take, with title and head.
    pub fn jobs_height(&self, width: u16) -> u16 {
        let rows: usize = self.job_items(width).iter().map(Vec::len).sum();
        u16::try_from(rows.max(1))
            .unwrap_or(u16::MAX)
            .saturating_add(2)
    }

    /// The jobs.
    pub fn draw_jobs(&mut self, area: Rect) {
        let overview = &self.picture.overview;
        let of = match overview.totals.jobs > overview.jobs.len() {
            true => format!(" of {}", overview.totals.jobs),
            false => String::new(),
        };
        let title = format!("Jobs {}{of}", overview.jobs.len());
        let area = self.title(area, &title, Some(Pane::Jobs));
        if overview.jobs.is_empty() {
            let text = "no job was submitted yet; `scheduler submit JOB` submits one";
            return self.line(area, 0, text, self.palette.faint());
        }
        let head = self.head(area.width);
        self.buffer.set_line(area.x + 1, area.y, &head, area.width);
        let items = self.job_items(area.width);
        let rest = Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        };
        let cursor = self.state.cursor(Pane::Jobs, items.len());
        let has_keys = self.state.pane == Pane::Jobs;
        list::draw(self.buffer, rest, &items, cursor, has_keys);
    }

    fn head(&self, width: u16) -> Line<'static> {
        let widths = Widths::within(width);
        let faint = self.palette.faint();
        let mut cells = vec![
            Cell::text(1, "", faint),
            Cell::text(widths.name, "job", faint),
            Cell::text(STATE, "state", faint),
            Cell::text(widths.gauge, "", faint),
            Cell::number(PERCENT, "%", faint),
            Cell::number(widths.chunks, "chunks", faint),
            Cell::number(widths.rate, "rows/s", faint),
        ];
        if widths.left > 0 {
            cells.push(Cell::number(widths.left, "time left", faint));
        }
        if widths.spent > 0 {
            cells.push(Cell::number(widths.spent, "spent", faint));
        }
        row(cells)
    }

    fn job_items(&self, width: u16) -> Vec<Item> {
        let jobs = self.picture.overview.jobs.iter();
        jobs.map(|job| self.job_item(job, width)).collect()
    }

    fn job_item(&self, job: &JobProgress, width: u16) -> Item {
        let widths = Widths::within(width);
        let status = &job.status;
        let (sign, style) = self.palette.state(status.state);
        let plain = self.palette.plain();
        let settled = status.chunks.done + status.chunks.empty;
        let of = wanted(status);
        let dash = || "–".to_owned();
        let left = job.seconds_left.map_or_else(dash, in_words);
        let number = if widths.is_narrow { short } else { thousands };
        let rate = job.records_per_second.map_or_else(dash, number);
        let chunks = format!("{}/{}", number(settled), number(of));
        let mut cells = vec![
            Cell::text(1, sign, style),
            Cell::text(widths.name, title(status), self.palette.strong()),
            Cell::text(STATE, status.state, style),
            Cell::text(widths.gauge, bar(settled, of, widths.gauge), style),
            Cell::number(PERCENT, format!("{} %", percent(status)), plain),
            Cell::number(widths.chunks, chunks, plain),
            Cell::number(widths.rate, rate, plain),
        ];
        if widths.left > 0 {
            cells.push(Cell::number(widths.left, left, plain));
        }
        if widths.spent > 0 {
            cells.push(Cell::number(widths.spent, dollars(status.spent_usd), plain));
        }
        let mut lines = vec![row(cells)];
        lines.extend(self.remark(job, width));
        lines
    }

    /// What else there is to know: why it is paused, what was given up.
    fn remark(&self, job: &JobProgress, width: u16) -> Option<Line<'static>> {
        let status = &job.status;
        let dead = status.chunks.dead;
        let (text, command) = match (status.state, &status.reason) {
            ("paused", Some(reason)) => (format!("because: {reason}"), "resume"),
            (state, _) if dead > 0 && state != "cancelled" => {
                (format!("{} given up", counted(dead, "chunk")), "retry")
            }
            _ => return None,
        };
        let style = match status.state {
            "paused" => self.palette.waiting(),
            _ => self.palette.bad(),
        };
        let plain = self.palette.plain();
        Some(with_command(
            width,
            Cell::text(1, "", plain),
            text,
            style,
            &format!("scheduler {command} {}", status.id),
            self.palette,
        ))
    }
}
