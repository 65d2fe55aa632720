//! Cells: how a day stands, its glyph, its name in JSON, and what a month of several shows.

use std::fmt::Write;

use crate::progress::thousands;

/// How a day stands, or a month by the day that tells most. In order: the last tells most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// Nobody asked for it.
    NotAsked,
    /// The symbol meant nothing on that day.
    NotListed,
    /// Held or proven empty, without records.
    NoSession,
    /// Held with records.
    Data,
    /// Held; whether with records isn't told by day.
    Held,
    /// Held, and the vendor says that its data of the day is flawed.
    Degraded,
    /// The vendor doesn't have it, and doesn't say that it will.
    Missing,
    /// A chunk is to bring it, or the vendor doesn't have it yet.
    Pending,
    /// A chunk is on its way.
    Running,
    /// Asked for and not held.
    Gap,
    /// The chunk that was to bring it is dead.
    Failed,
}

impl Cell {
    /// All, in order.
    pub const ALL: [Self; 11] = [
        Self::NotAsked,
        Self::NotListed,
        Self::NoSession,
        Self::Data,
        Self::Held,
        Self::Degraded,
        Self::Missing,
        Self::Pending,
        Self::Running,
        Self::Gap,
        Self::Failed,
    ];

    /// Its sign in the picture: each reads without colour.
    #[must_use]
    pub fn glyph(self) -> char {
        match self {
            Self::NotAsked => ' ',
            Self::NotListed => '-',
            Self::NoSession => '·',
            Self::Data => '█',
            Self::Held => '▓',
            Self::Degraded => '▒',
            Self::Missing => '×',
            Self::Pending => '~',
            Self::Running => '>',
            Self::Gap => 'o',
            Self::Failed => '!',
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::NotListed => "not_listed",
            Self::NoSession => "no_session",
            Self::Data => "data",
            Self::Held => "held",
            Self::Degraded => "degraded",
            Self::Missing => "missing",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Gap => "gap",
            Self::Failed => "failed",
        }
    }

    /// What it means, for the legend.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked for",
            Self::NotListed => "no such symbol then",
            Self::NoSession => "no session",
            Self::Data => "data",
            Self::Held => "held, not told by day",
            Self::Degraded => "degraded",
            Self::Missing => "missing at the vendor",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Gap => "gap",
            Self::Failed => "failed",
        }
    }

    /// Its colour on a terminal, as the number of an SGR code; `None` leaves the terminal's own.
    #[must_use]
    pub fn colour(self) -> Option<u8> {
        match self {
            Self::NotAsked => None,
            Self::NotListed | Self::NoSession => Some(90),
            Self::Data | Self::Held => Some(32),
            Self::Degraded | Self::Missing => Some(33),
            Self::Pending | Self::Running => Some(36),
            Self::Gap => Some(35),
            Self::Failed => Some(31),
        }
    }

    /// Its letter where a cell is a letter of a text.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::NotAsked => '.',
            Self::NotListed => 'l',
            Self::NoSession => 'n',
            Self::Data => 'D',
            Self::Held => 'H',
            Self::Degraded => 'd',
            Self::Missing => 'm',
            Self::Pending => 'p',
            Self::Running => 'r',
            Self::Gap => 'g',
            Self::Failed => 'F',
        }
    }

    /// Its place among [`Self::ALL`].
    #[must_use]
    pub fn place(self) -> u8 {
        let before = Self::ALL.iter().take_while(|cell| **cell != self).count();
        u8::try_from(before).unwrap_or_default()
    }

    /// The one at a place among [`Self::ALL`].
    #[must_use]
    pub fn at(place: u8) -> Self {
        let cell = Self::ALL.get(usize::from(place)).copied();
        cell.unwrap_or(Self::NotAsked)
    }
}

/// How many days stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Cell::ALL.len()]);

impl Counts {
    /// Adds days.
    pub fn add(&mut self, cell: Cell, days: i64) {
        if let Some(count) = self.0.get_mut(usize::from(cell.place())) {
            *count += u64::try_from(days).unwrap_or_default();
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add_all(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// The days that stand so.
    #[must_use]
    pub fn of(&self, cell: Cell) -> u64 {
        self.0
            .get(usize::from(cell.place()))
            .copied()
            .unwrap_or_default()
    }

    /// What there is, for people: `4 data, 2 no session`.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for cell in Cell::ALL.into_iter().filter(|cell| self.of(*cell) > 0) {
            let comma = if text.is_empty() { "" } else { ", " };
            let count = thousands(self.of(cell));
            let _infallible = write!(text, "{comma}{count} {}", cell.meaning());
        }
        text
    }

    /// All but what nobody asked for, by name.
    #[must_use]
    pub fn document(&self) -> serde_json::Value {
        let asked = Cell::ALL.into_iter().skip(1);
        asked
            .map(|cell| (cell.name().to_owned(), self.of(cell).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
