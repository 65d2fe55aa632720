//! What is drawn, by size: each screen as it is kept beside this file. `WRITE_SCREENS=1` writes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use scheduler::dashboard::{Fleet, Palette, State, draw};
use scheduler::overview::Overview;
use tokio::time::Instant;

use super::sample;

/// Set by whoever changes what is drawn: the screens are written instead of compared.
const WRITE: &str = "WRITE_SCREENS";

pub fn state_of(overview: Overview, now: Instant) -> State {
    let mut state = State::new("all jobs".into(), Fleet::Redis);
    state.look(Ok(overview), now);
    state
}

/// What stands on a screen of a size.
pub fn drawn(state: &State, size: (u16, u16), now: Instant) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let palette = Palette { is_coloured: true };
    terminal
        .draw(|frame| draw(frame, state, palette, now))
        .unwrap();
    terminal
}

pub fn text_of(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let rows = (0..buffer.area.height).map(|y| {
        let row: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        format!("{}\n", row.trim_end())
    });
    rows.collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable is the test's own, not a setting"
)]
fn compare(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dashboard/screens");
    let path: PathBuf = folder.join(format!("{name}.txt"));
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} is drawn otherwise than it is kept; look at it, then run with {WRITE}=1:\n{text}"
    );
}

#[test]
fn a_fleet_is_drawn_by_the_room_that_there_is() {
    let now = Instant::now();
    let state = state_of(sample::fleet(), now);
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10), (60, 16)] {
        let text = text_of(&drawn(&state, (width, height), now));
        compare(&format!("fleet-{width}x{height}"), &text);
    }
}

#[test]
fn an_installation_without_jobs_says_what_to_do() {
    let now = Instant::now();
    let text = text_of(&drawn(&state_of(sample::nothing(), now), (80, 24), now));
    compare("nothing-80x24", &text);
}

#[test]
fn a_database_that_is_away_leaves_the_last_picture_with_its_age() {
    let began = Instant::now();
    let mut state = state_of(sample::fleet(), began);
    let later = |seconds| began + Duration::from_secs(seconds);
    state.look(Err("the database is away".into()), later(3));
    state.look(Err("the database is away".into()), later(9));
    let text = text_of(&drawn(&state, (80, 24), later(12)));
    assert!(
        text.contains("! no news for 9 s, this is 12 s old: the database is away"),
        "{text}"
    );
    assert!(text.contains("as of 14:07:31 UTC"), "{text}");
    assert!(text.contains("trades-2024"), "{text}");

    state.look(Ok(sample::fleet()), later(20));
    let text = text_of(&drawn(&state, (80, 24), later(20)));
    assert!(!text.contains("no news"), "{text}");
    assert!(text.contains("● live"), "{text}");
}

#[test]
fn every_size_can_be_drawn() {
    let now = Instant::now();
    for overview in [sample::fleet(), sample::nothing()] {
        let mut state = state_of(overview, now);
        for _ in 0..4 {
            for width in [1, 59, 60, 77, 110, 149, 160] {
                for height in [1, 15, 16, 19, 40] {
                    drop(drawn(&state, (width, height), now));
                }
            }
            let key = match (state.is_help_shown, state.is_detail_shown) {
                (true, _) => crossterm::event::KeyCode::Enter,
                (_, true) => crossterm::event::KeyCode::Tab,
                _ => crossterm::event::KeyCode::Char('?'),
            };
            state.press(key.into());
        }
    }
}

#[test]
fn text_of_others_never_reaches_the_terminal_as_an_order() {
    let now = Instant::now();
    let mut state = state_of(sample::hostile(), now);
    state.about = "job \u{1b}[2Jx".into();
    state.look(Err("away\u{1b}c".into()), now);
    for pane in 0..3 {
        for is_detail_shown in [false, true] {
            state.is_detail_shown = is_detail_shown;
            let terminal = drawn(&state, (120, 40), now);
            for cell in terminal.backend().buffer().content() {
                let is_order = |character: char| {
                    character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character)
                };
                assert!(!cell.symbol().contains(is_order), "{pane}: {cell:?}");
            }
        }
        state.press(crossterm::event::KeyCode::Tab.into());
    }
    let text = text_of(&drawn(&state, (200, 60), now));
    assert!(text.contains("line two"), "{text}");
}

#[test]
fn without_colours_nothing_is_coloured_and_every_state_has_its_sign() {
    let now = Instant::now();
    let state = state_of(sample::fleet(), now);
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let palette = Palette { is_coloured: false };
    terminal
        .draw(|frame| draw(frame, &state, palette, now))
        .unwrap();
    for cell in terminal.backend().buffer().content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    let text = text_of(&terminal);
    for sign in [
        "▶ trades-2024",
        "‖ options",
        "! definitions",
        "✓ demo",
        "✗ ",
        "↻ ",
    ] {
        assert!(text.contains(sign), "{sign}: {text}");
    }
}
