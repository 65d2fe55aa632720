//! Colours and signs: each state has a sign of its own, so that colours only help. No two that mean
//! different things are told apart by red and green.

use ratatui::style::{Color, Modifier, Style};

/// How things are coloured.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Whether there are colours at all.
    pub is_coloured: bool,
}

impl Palette {
    /// Plain text.
    #[must_use]
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// What matters less.
    #[must_use]
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters more.
    #[must_use]
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What goes well.
    #[must_use]
    pub fn good(self) -> Style {
        self.in_colour(Color::LightBlue)
    }

    /// What is under way.
    #[must_use]
    pub fn moving(self) -> Style {
        self.in_colour(Color::Cyan)
    }

    /// What waits for somebody.
    #[must_use]
    pub fn waiting(self) -> Style {
        self.in_colour(Color::Yellow)
    }

    /// What failed.
    #[must_use]
    pub fn bad(self) -> Style {
        self.in_colour(Color::LightRed).add_modifier(Modifier::BOLD)
    }

    /// The item under the cursor.
    #[must_use]
    pub fn under_cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// How a state of a job or a chunk is told.
    #[must_use]
    pub fn state(self, state: &str) -> (&'static str, Style) {
        match state {
            "running" => ("▶", self.moving()),
            "done" | "empty" => ("✓", self.good()),
            "paused" => ("‖", self.waiting()),
            "incomplete" => ("!", self.bad()),
            "dead" => ("✗", self.bad()),
            "cancelled" => ("–", self.faint()),
            _ => ("·", self.plain()),
        }
    }

    fn in_colour(self, colour: Color) -> Style {
        match self.is_coloured {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }
}
