//! Draws a dashboard's state: a header, three lists, throughput and money, by the room that there is.

mod cell;
mod detail;
mod failures;
mod help;
mod jobs;
mod list;
mod money;
mod throughput;
mod work;

use common::time::Nanos;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget, Wrap};
use tokio::time::Instant;

use self::cell::printed;
use super::palette::Palette;
use super::state::{Pane, Picture, State};
use crate::overview::words::in_words;

/// Columns and rows below which nothing could be read.
const WIDTH_MIN: u16 = 60;
const HEIGHT_MIN: u16 = 16;
/// From here on two lists have room side by side.
const WIDE: u16 = 150;

/// What parts are drawn by.
struct Canvas<'a> {
    buffer: &'a mut Buffer,
    state: &'a State,
    picture: &'a Picture,
    palette: Palette,
}

/// Draws the state as it is at a moment.
pub fn draw(frame: &mut Frame<'_>, state: &State, palette: Palette, now: Instant) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        return say_too_small(buffer, area);
    }
    let trouble = u16::from(state.trouble.is_some());
    let [head, alarm, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(trouble),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(buffer, head, state, palette);
    draw_alarm(buffer, alarm, state, palette, now);
    help::draw_hint(buffer, foot, palette);
    let Some(picture) = &state.picture else {
        return;
    };
    let mut canvas = Canvas {
        buffer,
        state,
        picture,
        palette,
    };
    canvas.draw_body(body);
    if state.is_help_shown {
        help::draw(canvas.buffer, body, palette);
    } else if state.is_detail_shown {
        canvas.draw_detail(body);
    }
}

fn say_too_small(buffer: &mut Buffer, area: Rect) {
    let text = format!(
        "This terminal has {}x{} characters; the dashboard needs {WIDTH_MIN}x{HEIGHT_MIN}. Make it \
         larger, or press q and pipe the output: scheduler watch | cat",
        area.width, area.height
    );
    Paragraph::new(text)
        .wrap(Wrap { trim: true })
        .render(area, buffer);
}

fn draw_head(buffer: &mut Buffer, area: Rect, state: &State, palette: Palette) {
    let about = Line::from(vec![
        Span::styled("backhaul", palette.strong()),
        Span::raw(format!("  {}", printed(&state.about))),
    ]);
    buffer.set_line(area.x, area.y, &about, area.width);
    let Some(picture) = &state.picture else {
        return;
    };
    let at = clock(picture.overview.at);
    let (text, style) = match state.trouble {
        None => (format!(" ● live  {at} UTC"), palette.moving()),
        Some(_) => (format!(" as of {at} UTC"), palette.waiting()),
    };
    Line::styled(text, style)
        .right_aligned()
        .render(area, buffer);
}

fn draw_alarm(buffer: &mut Buffer, area: Rect, state: &State, palette: Palette, now: Instant) {
    let (Some(trouble), Some(picture)) = (&state.trouble, &state.picture) else {
        return;
    };
    let age = in_words(now.duration_since(picture.seen).as_secs());
    let since = in_words(now.duration_since(trouble.since).as_secs());
    let reason = printed(&trouble.reason);
    let text = format!("! no news for {since}, this is {age} old: {reason}");
    let style = palette.waiting().patch(palette.under_cursor());
    buffer.set_style(area, style);
    buffer.set_stringn(area.x, area.y, text, area.width.into(), style);
}

impl Canvas<'_> {
    fn draw_body(&mut self, area: Rect) {
        let is_wide = area.width >= WIDE;
        let low = match area.height {
            0..18 => 4,
            18..34 => 5,
            _ => 9,
        };
        let [lists, low] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(low)]).areas(area);
        let needs = [
            self.jobs_height(area.width),
            self.work_height(),
            self.failures_height(),
        ];
        let [jobs, work, failures] = match is_wide {
            true => {
                let [jobs, _] = shared([needs[0], needs[1].max(needs[2])], lists.height);
                let rows = [Constraint::Length(jobs), Constraint::Fill(1)];
                let [jobs, rest] = Layout::vertical(rows).areas(lists);
                let sides = [Constraint::Fill(1), Constraint::Fill(1)];
                let [work, failures] = Layout::horizontal(sides).spacing(2).areas(rest);
                [jobs, work, failures]
            }
            false => Layout::vertical(shared(needs, lists.height)).areas(lists),
        };
        self.draw_jobs(jobs);
        self.draw_work(work);
        self.draw_failures(failures);
        let [throughput, money] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)])
            .spacing(2)
            .areas(low);
        self.draw_throughput(throughput);
        self.draw_money(money);
    }

    /// A part's title, and what is left of its area.
    fn title(&mut self, area: Rect, title: &str, pane: Option<Pane>) -> Rect {
        let rule = "─".repeat(area.width.into());
        let faint = self.palette.faint();
        self.buffer
            .set_stringn(area.x, area.y, rule, area.width.into(), faint);
        let style = match pane == Some(self.state.pane) {
            true => self.palette.strong().patch(self.palette.under_cursor()),
            false => self.palette.strong(),
        };
        let room = usize::from(area.width.saturating_sub(4));
        self.buffer
            .set_stringn(area.x + 2, area.y, format!(" {title} "), room, style);
        Rect {
            y: area.y.saturating_add(1),
            height: area.height.saturating_sub(1),
            ..area
        }
    }

    /// A line of text.
    fn line(&mut self, area: Rect, row: u16, text: &str, style: Style) {
        if row < area.height {
            let room = usize::from(area.width);
            self.buffer
                .set_stringn(area.x, area.y + row, text, room, style);
        }
    }
}

/// Shares rows out: each part gets its share or what it needs, the first of those that need more what
/// others leave, and the last the rest.
fn shared<const PARTS: usize>(needs: [u16; PARTS], room: u16) -> [u16; PARTS] {
    let share = room / u16::try_from(PARTS).unwrap_or(u16::MAX);
    let mut given = needs.map(|need| need.min(share));
    let mut left = room.saturating_sub(given.iter().sum());
    for (given, need) in given.iter_mut().zip(needs) {
        let more = need.saturating_sub(*given).min(left);
        *given += more;
        left -= more;
    }
    if let Some(last) = given.last_mut() {
        *last += left;
    }
    given
}

/// A box in the middle, above what is there.
fn draw_box(buffer: &mut Buffer, area: Rect, title: &str, lines: Vec<Line<'_>>) {
    let block = ratatui::widgets::Block::bordered().title(format!(" {title} "));
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: false });
    let width = area.width.min(84);
    let height = paragraph_height(&paragraph, width.saturating_sub(2));
    let area = area.centered(
        Constraint::Length(width),
        Constraint::Length(height.saturating_add(2).min(area.height)),
    );
    Clear.render(area, buffer);
    paragraph.block(block).render(area, buffer);
}

/// Rows that a text takes at this width.
fn paragraph_height(paragraph: &Paragraph<'_>, width: u16) -> u16 {
    // Counted by drawing it, where there is more than enough room.
    let area = Rect::new(0, 0, width, 100);
    let mut buffer = Buffer::empty(area);
    paragraph.render(area, &mut buffer);
    let is_blank = |row: &u16| (0..width).all(|column| buffer[(column, *row)].symbol() == " ");
    (0..area.height)
        .rev()
        .find(|row| !is_blank(row))
        .map_or(0, |last| last + 1)
}

/// The time of day, in UTC.
fn clock(instant: Nanos) -> String {
    instant.to_string().chars().skip(11).take(8).collect()
}
