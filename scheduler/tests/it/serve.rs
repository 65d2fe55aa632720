//! `serve`: the page and its JSON, who may look, and what it looks like in a real browser.

mod served;
mod guard;
mod answers;
mod many;
mod maps;
mod colours;
mod browser;

pub use served::{ASK_EVERY, FOREVER, Served};
