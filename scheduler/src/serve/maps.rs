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

use common::configuration::document::Refusal;
use common::store::Store;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::choice::{Choice, Which, choices};
use self::detail::Detail;
use self::grid::Grid;
use self::question::Question;
use self::window::Window;
use super::database::Database;
use super::refreshed::Refreshed;

/// Maps that are kept: the last that were asked for.
const KEPT_MAX: usize = 4;

/// The maps that somebody looks at.
#[derive(Debug)]
pub struct Maps {
    database: Database,
    choices: Refreshed<Vec<Choice>>,
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
    pub async fn choices(&self) -> Told<Arc<Vec<Choice>>> {
        let Some(store) = self.database.get().cloned() else {
            return Told::Nothing;
        };
        let found = self.choices.get(|| async move { choices(&store).await });
        match found.await {
            Some(choices) if choices.is_empty() => Told::Nothing,
            Some(choices) => Told::There(choices),
            None => Told::Gathering,
        }
    }

    /// A window of a map.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such map, symbol or day.
    pub async fn window(&self, question: &Question) -> Result<Told<Window>, Refusal> {
        let told = self.grid(question).await?;
        let (Told::There((choice, grid)), asked) = (told, question.clone()) else {
            return Ok(match self.choices().await {
                Told::Nothing => Told::Nothing,
                _ => Told::Gathering,
            });
        };
        // Millions of cells are a matter of milliseconds, which other answers shall not wait for.
        let cut = tokio::task::spawn_blocking(move || Window::of(&choice, &grid, &asked));
        match cut.await {
            Ok(window) => window.map(Told::There),
            Err(_) => Ok(Told::Gathering),
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
            Told::Nothing => Ok(Told::Nothing),
        }
    }

    async fn grid(&self, question: &Question) -> Result<Told<(Choice, Arc<Grid>)>, Refusal> {
        let choices = match self.choices().await {
            Told::There(choices) => choices,
            Told::Gathering => return Ok(Told::Gathering),
            Told::Nothing => return Ok(Told::Nothing),
        };
        let choice = question.choose(&choices)?.clone();
        let Some(store) = self.database.get().cloned() else {
            return Ok(Told::Nothing);
        };
        let kept = self.keep(&choice.which);
        let (turn, wanted) = (Arc::clone(&self.turn), choice.clone());
        let grid = kept.get(|| gather(store, wanted, turn)).await;
        Ok(match grid {
            Some(grid) => Told::There((choice, grid)),
            None => Told::Gathering,
        })
    }

    /// The map's place among those that are kept.
    fn keep(&self, which: &Which) -> Arc<Refreshed<Grid>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(known) = kept.iter_mut().find(|known| known.which == *which) {
            known.asked = now;
            return Arc::clone(&known.grid);
        }
        kept.sort_by_key(|known| std::cmp::Reverse(known.asked));
        kept.truncate(KEPT_MAX - 1);
        let grid: Arc<Refreshed<Grid>> = Arc::default();
        kept.push(Kept {
            which: which.clone(),
            asked: now,
            grid: Arc::clone(&grid),
        });
        grid
    }
}

async fn gather(store: Arc<Store>, choice: Choice, turn: Arc<Semaphore>) -> anyhow::Result<Grid> {
    let _turn = turn.acquire_owned().await?;
    let map = choice.map(&store).await?;
    Ok(tokio::task::spawn_blocking(move || Grid::of(&map)).await?)
}
