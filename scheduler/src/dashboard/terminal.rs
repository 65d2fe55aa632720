//! The terminal as a dashboard has it: a screen of its own, keys one by one; given back however the
//! dashboard ends.

use std::io::{IsTerminal, Write};

use common::configuration::settings::environment::can_cursor_move;
use crossterm::cursor::Show;
use crossterm::execute;
use ratatui::DefaultTerminal;

use super::palette::Palette;

/// A terminal that a dashboard has. Dropped, also by a panic, it is the shell's again.
#[derive(Debug)]
pub struct Screen {
    /// Where to draw.
    pub terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it isn't one, or has gone away.
    pub fn take() -> std::io::Result<Self> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Nobody can be told where the terminal has gone away.
fn give_back() {
    let _gone = ratatui::try_restore();
    let _gone = execute!(std::io::stdout(), Show);
    let _gone = std::io::stdout().flush();
}

/// Whether there is a terminal for a dashboard: one to read keys from and to draw on, which can move
/// its cursor.
#[must_use]
pub fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && can_cursor_move()
}

/// Colours, unless `NO_COLOR` or the terminal says that there are none.
#[must_use]
pub fn palette() -> Palette {
    Palette {
        is_coloured: console::colors_enabled(),
    }
}
