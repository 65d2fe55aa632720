//! The dashboard of `scheduler watch`: what it draws, what its keys do, and how it is with a terminal.

mod sample;
mod drawing;
mod keys;
mod terminal;
mod on_a_terminal;
