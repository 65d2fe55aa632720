//! Maps: what is held, by symbol and day, as the page and `/api/coverage` show it.
//!
//! To tell a map takes seconds with a million chunks. So the few that somebody looks at are kept as grids
//! of a byte a symbol and day, and gathered anew in the background, one at a time; an answer is cut out
//! of what was gathered last.

pub mod choice;
pub mod detail;
pub mod grid;
pub mod question;
pub mod window;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::configuration::document::Refusal;
use common::store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::choice::{Choice, Choices, Which, choices};
use self::detail::Detail;
use self::grid::Grid;
use self::question::Question;
use self::window::Window;
use super::database::Database;
use super::refreshed::{Latest, Refreshed};

/// Maps that are kept: the last that were asked for.
const KEPT_MAX: usize = 4;
/// A map that was asked for within this time is one that somebody looks at.
const LOOKED_AT: Duration = Duration::from_secs(10);

/// The maps that somebody looks at.
#[derive(Debug)]
pub struct Maps {
    database: Database,
    choices: Refreshed<Choices>,
    kept: Mutex<Vec<Kept>>,
    /// One map is gathered at a time.
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Kept {
    which: Which,
    asked: Instant,
    grid: Arc<Refreshed<Grid>>,
}

/// What can be answered now.
#[derive(Debug)]
pub enum Told<T> {
    /// This.
    There(T),
    /// Not yet: it is being gathered.
    Gathering,
    /// Not yet, and the last try to gather it failed.
    Failed,
    /// Nothing was asked for: there is no job.
    Nothing,
}

impl Maps {
    /// None is kept yet.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            choices: Refreshed::default(),
            kept: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Which maps there are.
    pub async fn choices(&self) -> Told<Arc<[Choice]>> {
        let Some(store) = self.database.get().cloned() else {
            return Told::Nothing;
        };
        let before = self.choices.latest();
        let found = self.choices.get(|| {
            Some(async move {
                match before {
                    Latest::There(before) => choices(&store, Some(&before)).await,
                    _ => choices(&store, None).await,
                }
            })
        });
        match found.await {
            Latest::There(choices) if choices.all.is_empty() => Told::Nothing,
            Latest::There(choices) => Told::There(Arc::clone(&choices.all)),
            Latest::Failed => Told::Failed,
            Latest::Not => Told::Gathering,
        }
    }

    /// A window of a map.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such map, symbol or day.
    pub async fn window(&self, question: &Question) -> Result<Told<Window>, Refusal> {
        let (choice, grid) = match self.grid(question).await? {
            Told::There(there) => there,
            Told::Gathering => return Ok(Told::Gathering),
            Told::Failed => return Ok(Told::Failed),
            Told::Nothing => return Ok(Told::Nothing),
        };
        let asked = question.clone();
        // Millions of cells are a matter of milliseconds, which other answers shall not wait for.
        let cut = tokio::task::spawn_blocking(move || Window::of(&choice, &grid, &asked));
        match cut.await {
            Ok(window) => window.map(Told::There),
            Err(_) => Ok(Told::Failed),
        }
    }

    /// What is known of a symbol's day.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such map, symbol or day.
    pub async fn detail(&self, question: &Question) -> Result<Told<Detail>, Refusal> {
        let Some(store) = self.database.get() else {
            return Ok(Told::Nothing);
        };
        match self.grid(question).await? {
            Told::There((_, grid)) => Detail::of(&grid, question, store).await.map(Told::There),
            Told::Gathering => Ok(Told::Gathering),
            Told::Failed => Ok(Told::Failed),
            Told::Nothing => Ok(Told::Nothing),
        }
    }

    async fn grid(&self, question: &Question) -> Result<Told<(Choice, Arc<Grid>)>, Refusal> {
        let choices = match self.choices().await {
            Told::There(choices) => choices,
            Told::Gathering => return Ok(Told::Gathering),
            Told::Failed => return Ok(Told::Failed),
            Told::Nothing => return Ok(Told::Nothing),
        };
        let choice = question.choose(&choices)?.clone();
        let Some(store) = self.database.get().cloned() else {
            return Ok(Told::Nothing);
        };
        // Whoever has no turn adds no work, and puts no other map out.
        let turn = Arc::clone(&self.turn).try_acquire_owned().ok();
        let Some(kept) = self.keep(&choice.which, turn.is_some()) else {
            return Ok(Told::Gathering);
        };
        let wanted = choice.clone();
        let begin = || turn.map(|turn| gather(store, wanted, turn));
        Ok(match kept.get(begin).await {
            Latest::There(grid) => Told::There((choice, grid)),
            Latest::Failed => Told::Failed,
            Latest::Not => Told::Gathering,
        })
    }

    /// The map's place among those that are kept; `None` while there is no room for it. Of those that
    /// somebody looks at, one gives up its place only when it would be gathered anew anyway: however many
    /// are looked at, gathering takes no larger share of the time.
    fn keep(&self, which: &Which, may_make_room: bool) -> Option<Arc<Refreshed<Grid>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(known) = kept.iter_mut().find(|known| known.which == *which) {
            known.asked = now;
            return Some(Arc::clone(&known.grid));
        }
        if !may_make_room {
            return None;
        }
        if kept.len() >= KEPT_MAX {
            let places = kept.iter().enumerate();
            let free = places.filter(|(_, known)| known.may_go(now));
            let (longest_ago, _) = free.min_by_key(|(_, known)| known.asked)?;
            kept.swap_remove(longest_ago);
        }
        let grid: Arc<Refreshed<Grid>> = Arc::default();
        kept.push(Kept {
            which: which.clone(),
            asked: now,
            grid: Arc::clone(&grid),
        });
        Some(grid)
    }
}

impl Kept {
    fn may_go(&self, now: Instant) -> bool {
        let is_looked_at = now.duration_since(self.asked) < LOOKED_AT;
        !self.grid.is_gathering() && (!is_looked_at || self.grid.is_due())
    }
}

/// Gathers a map while it is its turn.
async fn gather(
    store: Arc<Store>,
    choice: Choice,
    turn: OwnedSemaphorePermit,
) -> anyhow::Result<Grid> {
    // What is read later may be newer, never older.
    let at = store.now().await?;
    let map = choice.map(&store).await?;
    let grid = tokio::task::spawn_blocking(move || Grid::of(&map, at)).await?;
    drop(turn);
    Ok(grid)
}
