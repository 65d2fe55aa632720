//! The documents: what they say is so, and what they show happens.

mod document;
mod complaint;
mod tree;
mod links;
mod paths;
pub mod programs;
mod command_line;
mod names;
mod tables;
mod languages;
mod data_blocks;
mod console;
mod session;
mod stage;
mod told;
mod shown;
mod queries;
mod planted;
mod generated;
