//! All that is known of the item under the cursor.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::cell::printed;
use super::{Canvas, draw_box};
use crate::following::standing;
use crate::overview::words::command_after;
use crate::overview::{JobProgress, Run};
use crate::progress::thousands;

use super::super::state::Pane;

use common::chunk::ChunkState;
use common::store::Failure;

impl Canvas<'_> {
    /// A box with the item's details; nothing where the list is empty.
    pub fn draw_detail(&mut self, area: Rect) {
        let pane = self.state.pane;
        let at = self.state.cursor(pane, self.state.items(pane));
        let overview = &self.picture.overview;
        let (title, lines) = match pane {
            Pane::Jobs => ("Job", overview.jobs.get(at).map(of_job)),
            Pane::Work => ("Chunk", overview.running.get(at).map(of_run)),
            Pane::Failures => {
                let failure = overview.failures.get(at);
                ("Failure", failure.map(|failure| self.of_failure(failure)))
            }
        };
        if let Some(lines) = lines {
            let lines = lines.into_iter().map(|line| Line::raw(printed(&line)));
            draw_box(self.buffer, area, title, lines.collect());
        }
    }

    fn of_failure(&self, failure: &Failure) -> Vec<String> {
        let part = &failure.part;
        let mut lines = vec![
            format!("{} ({}), chunk {}", part.job_name, part.job, part.chunk),
            format!("{} {} {}", part.schema, part.days, part.symbols),
            format!(
                "{}; failures that count: {}",
                self.fate(failure),
                failure.failures
            ),
            String::new(),
            failure.error.clone(),
            String::new(),
        ];
        if failure.state == ChunkState::Dead {
            lines.push(format!("to try again: {}", command_after(failure)));
        }
        lines.push(format!("all of its job: scheduler status {}", part.job));
        lines
    }
}

fn of_job(job: &JobProgress) -> Vec<String> {
    let status = &job.status;
    let (chunks, records) = (status.chunks, status.records);
    let mut lines = vec![
        standing(status),
        format!("submitted {}", status.created_at),
        format!(
            "chunks: {} pending, {} running, {} done, {} empty, {} dead, {} cancelled",
            thousands(chunks.pending),
            thousands(chunks.running),
            thousands(chunks.done),
            thousands(chunks.empty),
            thousands(chunks.dead),
            thousands(chunks.cancelled),
        ),
        format!(
            "records: {} expected, {} fetched, {} loaded, {} in quarantine, {} held by others",
            thousands(records.expected),
            thousands(records.fetched),
            thousands(records.loaded),
            thousands(records.quarantined),
            thousands(records.covered),
        ),
        format!(
            "{} bytes received, {} US dollars spent or reserved",
            thousands(status.bytes_received),
            status.spent_usd
        ),
    ];
    if let Some(reason) = &status.reason {
        lines.push(format!("because: {reason}"));
    }
    lines.push(format!("more: scheduler status {}", status.id));
    lines
}

fn of_run(run: &Run) -> Vec<String> {
    let working = &run.working;
    let part = &working.part;
    let stage = match &run.seen {
        Some(seen) => format!("{}: {} records so far", seen.stage, thousands(seen.records)),
        None => "its worker says nothing of it".to_owned(),
    };
    vec![
        format!("{} ({}), chunk {}", part.job_name, part.job, part.chunk),
        format!("{} {} {}", part.schema, part.days, part.symbols),
        format!(
            "{} records by the vendor's count",
            thousands(working.expected)
        ),
        stage,
        format!("worker {}, claim {}", working.worker, working.epoch),
        format!(
            "claimed {}, lease until {}",
            working.since, working.lease_until
        ),
    ]
}
