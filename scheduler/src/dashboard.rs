//! The dashboard of `scheduler watch` on a terminal: looks are taken in, keys are done, and what both
//! come to is drawn.

mod looking;
mod palette;
mod printable;
mod state;
mod terminal;
mod ui;

use std::time::Duration;

use common::chunk::JobId;
use common::configuration::settings::Settings;
use common::store::{JobStatus, Store};
use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::looking::look_once;
pub use self::palette::Palette;
pub use self::printable::printable;
pub use self::state::{Fleet, Next, Pane, State};
pub use self::terminal::is_there;
pub use self::ui::draw;

use self::terminal::Screen;
use crate::overview::{Observer, Overview};
use crate::submitted::title;

/// Ages are told in seconds: that often they are drawn anew.
const DRAW_EVERY: Duration = Duration::from_secs(1);

/// How the watching ended.
#[derive(Debug, Default)]
pub struct Watched {
    /// The jobs as they were seen last.
    pub jobs: Vec<JobStatus>,
    /// Whether the one job that was watched came to its end.
    pub is_over: bool,
}

/// Shows how one job stands, or all of them, until that one is over or the reader leaves.
///
/// # Errors
/// When the first look fails, or the terminal goes away.
pub async fn watch(
    settings: &Settings,
    store: &Store,
    job: Option<JobId>,
    stop: &CancellationToken,
) -> anyhow::Result<Watched> {
    let mut observer = Observer::new(job, settings.budget_usd, None);
    // Before the terminal is taken: what is wrong from the start is told as by any other command.
    let first = tokio::select! {
        first = observer.look(store) => first?,
        () = stop.cancelled() => return Ok(Watched::default()),
    };
    let redis_url = match settings.is_distributed() {
        true => settings.redis_url.clone(),
        false => None,
    };
    let about = match (job, first.jobs.first()) {
        (Some(_), Some(job)) => format!("job {}", title(&job.status)),
        _ => "all jobs".to_owned(),
    };
    let fleet = match redis_url.is_some() {
        true => Fleet::Redis,
        false => Fleet::None,
    };
    let mut state = State::new(about, fleet);
    state.look(Ok(first), Instant::now());
    let mut is_over = is_over(job, &state);
    if !is_over {
        let (sender, news) = mpsc::channel(1);
        is_over = tokio::select! {
            shown = show(&mut state, job, news, stop) => shown?,
            never = looking::look_on(store, observer, redis_url, sender) => match never {},
        };
    }
    let picture = state.picture.into_iter();
    let jobs = picture.flat_map(|picture| picture.overview.jobs);
    Ok(Watched {
        jobs: jobs.map(|job| job.status).collect(),
        is_over,
    })
}

/// Draws until the job is over, which is told, or until the reader leaves.
async fn show(
    state: &mut State,
    job: Option<JobId>,
    mut news: mpsc::Receiver<Result<Overview, String>>,
    stop: &CancellationToken,
) -> std::io::Result<bool> {
    let palette = terminal::palette();
    let mut screen = Screen::take()?;
    let mut events = EventStream::new();
    let mut beat = tokio::time::interval(DRAW_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let now = Instant::now();
        screen
            .terminal
            .draw(|frame| draw(frame, state, palette, now))?;
        tokio::select! {
            () = stop.cancelled() => return Ok(false),
            _ = beat.tick() => {}
            event = events.next() => match event {
                Some(Ok(Event::Key(key))) => match state.press(key) {
                    Next::Draw => {}
                    Next::DrawAnew => screen.terminal.clear()?,
                    Next::Leave => return Ok(false),
                },
                // A new size is found by drawing.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(false),
            },
            Some(brought) = news.recv() => {
                state.look(brought, Instant::now());
                if is_over(job, state) {
                    return Ok(true);
                }
            }
        }
    }
}

/// Whether the one job that is watched came to its end.
fn is_over(job: Option<JobId>, state: &State) -> bool {
    let picture = state.picture.as_ref();
    let jobs = picture.map_or(&[][..], |picture| &picture.overview.jobs);
    let watched = jobs.first().filter(|_| job.is_some());
    watched.is_some_and(|job| has_ended(&job.status))
}

/// Whether nothing more happens to a job by itself, but for one that is paused.
#[must_use]
pub fn has_ended(job: &JobStatus) -> bool {
    matches!(job.state, "done" | "incomplete" | "cancelled")
}
