//! The chunks that failed: which, why, and what to type.

use common::chunk::ChunkState;
use common::store::Failure;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::cell::{Cell, cut, printed, with_command};
use super::list::{self, Item};
use super::{Canvas, clock};
use crate::overview::CHUNKS_MAX;
use crate::overview::words::{command_after, in_words};

use super::super::state::Pane;

/// As many as an overview tells at most.
const SHOWN_MAX: usize = CHUNKS_MAX as usize;

impl Canvas<'_> {
    /// Rows that the failures would take, with their title.
    pub fn failures_height(&self) -> u16 {
        let failures = u16::try_from(self.picture.overview.failures.len());
        failures
            .unwrap_or(u16::MAX)
            .saturating_mul(2)
            .max(1)
            .saturating_add(1)
    }

    /// The failures, the last first.
    pub fn draw_failures(&mut self, area: Rect) {
        let failures = &self.picture.overview.failures;
        let more = if failures.len() < SHOWN_MAX { "" } else { "+" };
        let title = format!("Failures {}{more}", failures.len());
        let area = self.title(area, &title, Some(Pane::Failures));
        if failures.is_empty() {
            return self.line(area, 0, "nothing failed", self.palette.faint());
        }
        let items = failures.iter();
        let items: Vec<_> = items
            .map(|failure| self.failure(failure, area.width))
            .collect();
        let cursor = self.state.cursor(Pane::Failures, items.len());
        let has_keys = self.state.pane == Pane::Failures;
        list::draw(self.buffer, area, &items, cursor, has_keys);
    }

    fn failure(&self, failure: &Failure, columns: u16) -> Item {
        let (sign, style) = match failure.state {
            ChunkState::Dead => self.palette.state("dead"),
            _ => ("↻", self.palette.waiting()),
        };
        let part = &failure.part;
        let what = format!(
            "{} #{} {} {} {}",
            part.job_name, part.chunk, part.schema, part.days, part.symbols
        );
        let first = with_command(
            columns,
            Cell::text(1, sign, style),
            what,
            self.palette.strong(),
            &command_after(failure),
            self.palette,
        );
        let reason = format!("  {}: {}", self.fate(failure), printed(&failure.error));
        vec![first, Line::raw(cut(&reason, columns.saturating_sub(2)))]
    }

    /// When it failed, and what happens to it by itself.
    pub fn fate(&self, failure: &Failure) -> String {
        let at = clock(failure.at);
        if failure.state == ChunkState::Dead {
            return format!("given up {at}");
        }
        let due = failure.due_at.0.saturating_sub(self.picture.overview.at.0);
        match due.max(0).unsigned_abs() / 1_000_000_000 {
            0 => format!("failed {at}, tried again now"),
            seconds => format!("failed {at}, tried again in {}", in_words(seconds)),
        }
    }
}
