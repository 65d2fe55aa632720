//! What is being worked on: the chunks that run, who has them and how far they are; then workers that
//! have none.

use common::progress::Heard;
use common::time::DayRange;
use ratatui::layout::Rect;

use super::Canvas;
use super::cell::{Cell, row, short};
use super::list::{self, Item};
use crate::overview::Run;
use crate::overview::words::in_words;
use crate::progress::{counted, thousands};

use super::super::state::{Fleet, Pane};

const SCHEMA: u16 = 10;
const DAYS: u16 = 14;
const STAGE: u16 = 5;
const RECORDS: u16 = 15;
const SINCE: u16 = 6;

/// The columns that share what the others leave.
struct Widths {
    name: u16,
    /// Nothing where there is no room for it.
    worker: u16,
}

impl Widths {
    fn within(width: u16) -> Self {
        // Each column has a blank before it, and the cursor and the sign come first.
        let taken = 2 + (SCHEMA + 1) + (DAYS + 1) + (STAGE + 1) + (RECORDS + 1) + (SINCE + 1);
        let rest = width.saturating_sub(taken + 1);
        let worker = match rest {
            0..22 => 0,
            _ => (rest / 2).min(32),
        };
        Self {
            name: rest.saturating_sub(if worker > 0 { worker + 1 } else { 0 }),
            worker,
        }
    }
}

/// Who has a chunk that says nothing of itself.
const SILENT: &str = "?";

impl Canvas<'_> {
    /// Rows that they would take, with their title.
    pub fn work_height(&self) -> u16 {
        let items = u16::try_from(self.state.items(Pane::Work));
        items.unwrap_or(u16::MAX).max(1).saturating_add(1)
    }

    /// The chunks that run, and the workers.
    pub fn draw_work(&mut self, area: Rect) {
        let title = format!(
            "Running {}, {}",
            thousands(self.picture.overview.totals.running),
            self.workers()
        );
        let area = self.title(area, &title, Some(Pane::Work));
        let mut items: Vec<Item> = Vec::new();
        let overview = &self.picture.overview;
        items.extend(overview.running.iter().map(|run| self.run(run, area.width)));
        items.extend(overview.idle().map(|idle| self.idle(idle, area.width)));
        if items.is_empty() {
            return self.line(area, 0, "nothing runs", self.palette.faint());
        }
        let cursor = self.state.cursor(Pane::Work, items.len());
        let has_keys = self.state.pane == Pane::Work;
        list::draw(self.buffer, area, &items, cursor, has_keys);
    }

    fn workers(&self) -> String {
        let overview = &self.picture.overview;
        match (&overview.workers, self.state.fleet) {
            (Some(workers), _) => count_of(workers.len()),
            (None, Fleet::Redis) => "workers unknown: no word from Redis".to_owned(),
            (None, Fleet::None) => count_of(overview.runs_by_worker.len()),
        }
    }

    fn run(&self, run: &Run, width: u16) -> Item {
        let working = &run.working;
        let part = &working.part;
        let at = self.picture.overview.at;
        let plain = self.palette.plain();
        let is_late = working.lease_until < at;
        let (sign, style) = match (is_late, self.is_heard(&working.worker)) {
            (true, _) => ("!", self.palette.bad()),
            (false, false) => (SILENT, self.palette.waiting()),
            (false, true) => self.palette.state("running"),
        };
        let stage = match &run.seen {
            _ if is_late => "late",
            Some(seen) => seen.stage.as_str(),
            None => "–",
        };
        let records = match &run.seen {
            Some(seen) => format!("{}/{}", short(seen.records), short(working.expected)),
            None => short(working.expected),
        };
        let job = format!("{} #{}", part.job_name, part.chunk);
        let since = at.0.saturating_sub(working.since.0).max(0);
        let since = in_words(since.unsigned_abs() / 1_000_000_000);
        let widths = Widths::within(width);
        let mut cells = vec![
            Cell::text(1, sign, style),
            Cell::text(widths.name, job, self.palette.strong()),
            Cell::text(SCHEMA, &part.schema, plain),
            Cell::text(DAYS, days(part.days), plain),
            Cell::text(STAGE, stage, style),
            Cell::number(RECORDS, records, plain),
            Cell::number(SINCE, since, plain),
        ];
        if widths.worker > 0 {
            cells.push(Cell::text(
                widths.worker,
                &working.worker,
                self.palette.faint(),
            ));
        }
        vec![row(cells)]
    }

    fn idle(&self, idle: &Heard, width: u16) -> Item {
        let faint = self.palette.faint();
        let text = format!("{} has nothing to do", idle.worker);
        vec![row(vec![
            Cell::text(1, "·", faint),
            Cell::text(width.saturating_sub(3), text, faint),
        ])]
    }

    /// Whether a worker is heard of; where nobody is asked, nobody is missed.
    fn is_heard(&self, worker: &str) -> bool {
        let workers = self.picture.overview.workers.as_ref();
        workers.is_none_or(|workers| workers.iter().any(|heard| heard.worker == worker))
    }
}

fn count_of(workers: usize) -> String {
    counted(u64::try_from(workers).unwrap_or(u64::MAX), "worker")
}

/// The first day, and how many more there are.
fn days(days: DayRange) -> String {
    match days.len_days() {
        1 => days.start().to_string(),
        days_in_all => format!("{} +{}", days.start(), days_in_all - 1),
    }
}
