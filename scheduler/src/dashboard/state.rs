//! What a dashboard's reader looks at, and what keys and news change about it. Pure: it neither reads
//! nor draws.

use common::store::JobStatus;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::time::Instant;

use crate::overview::Overview;

/// Items that a page key passes over.
const PAGE: usize = 10;

/// A list that can be moved through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The jobs.
    Jobs,
    /// Chunks that run, and workers that have none.
    Work,
    /// Chunks that failed.
    Failures,
}

/// Who is asked about the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fleet {
    /// Nobody: chunks say whose they are.
    None,
    /// Redis.
    Redis,
}

/// What was seen at the last look that succeeded.
#[derive(Clone, Debug)]
pub struct Picture {
    /// How everything stood.
    pub overview: Overview,
    /// When it was seen, by the clock of whoever looks.
    pub seen: Instant,
}

/// Why there is no newer picture.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What is wrong.
    pub reason: String,
    /// Since when.
    pub since: Instant,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The screen is drawn as the state is now.
    Draw,
    /// The same on an empty screen: something else wrote on it.
    DrawAnew,
    /// The reader leaves.
    Leave,
}

/// What is shown.
#[derive(Clone, Debug)]
pub struct State {
    /// Whose standing it is: a job's title, or all jobs.
    pub about: String,
    /// Who is asked about the workers.
    pub fleet: Fleet,
    /// The list that keys move through.
    pub pane: Pane,
    /// Whether the keys are explained.
    pub is_help_shown: bool,
    /// Whether all that is known of the item under the cursor is shown.
    pub is_detail_shown: bool,
    /// What was seen last.
    pub picture: Option<Picture>,
    /// Why that is old.
    pub trouble: Option<Trouble>,
    cursors: [usize; 3],
}

impl State {
    /// Before the first look.
    #[must_use]
    pub fn new(about: String, fleet: Fleet) -> Self {
        Self {
            about,
            fleet,
            pane: Pane::Jobs,
            is_help_shown: false,
            is_detail_shown: false,
            picture: None,
            trouble: None,
            cursors: [0; 3],
        }
    }

    /// Takes in what a look brought: a picture, or why there is none.
    pub fn look(&mut self, brought: Result<Overview, String>, now: Instant) {
        match brought {
            Ok(mut overview) => {
                // What is not finished first; the order of each kind stays.
                overview.jobs.sort_by_key(|job| rank(&job.status));
                self.picture = Some(Picture {
                    overview,
                    seen: now,
                });
                self.trouble = None;
            }
            Err(reason) => {
                let since = self.trouble.as_ref().map_or(now, |known| known.since);
                self.trouble = Some(Trouble { reason, since });
            }
        }
    }

    /// Does what a key asks for.
    pub fn press(&mut self, key: KeyEvent) -> Next {
        if key.kind == KeyEventKind::Release {
            return Next::Draw;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Next::Leave,
                KeyCode::Char('l') => Next::DrawAnew,
                _ => Next::Draw,
            };
        }
        match key.code {
            KeyCode::Char('q') => return Next::Leave,
            KeyCode::Esc if !self.close() => return Next::Leave,
            KeyCode::Char('?' | 'h') => {
                self.is_help_shown = !self.is_help_shown;
                self.is_detail_shown = false;
            }
            KeyCode::Enter => {
                self.is_detail_shown = !self.is_detail_shown && !self.is_help_shown;
                self.is_help_shown = false;
            }
            KeyCode::Tab | KeyCode::Right => self.turn_to(1),
            KeyCode::BackTab | KeyCode::Left => self.turn_to(2),
            code => self.step(code),
        }
        Next::Draw
    }

    /// The item of a list of so many that the cursor is at.
    #[must_use]
    pub fn cursor(&self, pane: Pane, items: usize) -> usize {
        self.cursors[pane.index()].min(items.saturating_sub(1))
    }

    /// How many items a list has.
    #[must_use]
    pub fn items(&self, pane: Pane) -> usize {
        let Some(picture) = &self.picture else {
            return 0;
        };
        match pane {
            Pane::Jobs => picture.overview.jobs.len(),
            Pane::Work => picture.overview.running.len() + picture.overview.idle().count(),
            Pane::Failures => picture.overview.failures.len(),
        }
    }

    /// Closes what lies above the lists; whether anything did.
    fn close(&mut self) -> bool {
        let was_open = self.is_help_shown || self.is_detail_shown;
        (self.is_help_shown, self.is_detail_shown) = (false, false);
        was_open
    }

    fn turn_to(&mut self, further: usize) {
        const ORDER: [Pane; 3] = [Pane::Jobs, Pane::Work, Pane::Failures];
        self.pane = ORDER[(self.pane.index() + further) % ORDER.len()];
    }

    fn step(&mut self, code: KeyCode) {
        let items = self.items(self.pane);
        let at = self.cursor(self.pane, items);
        let to = match code {
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => at + 1,
            KeyCode::PageUp => at.saturating_sub(PAGE),
            KeyCode::PageDown => at + PAGE,
            KeyCode::Home => 0,
            KeyCode::End => items,
            _ => at,
        };
        self.cursors[self.pane.index()] = to.min(items.saturating_sub(1));
    }
}

/// Who of two jobs is looked at first: those that move or wait for somebody, then what went wrong.
fn rank(job: &JobStatus) -> u8 {
    match job.state {
        "done" | "cancelled" => 2,
        "incomplete" => 1,
        _ => 0,
    }
}

impl Pane {
    fn index(self) -> usize {
        match self {
            Self::Jobs => 0,
            Self::Work => 1,
            Self::Failures => 2,
        }
    }
}
