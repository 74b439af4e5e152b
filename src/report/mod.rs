//! Showing it to people.

pub mod model;
pub mod plain;
mod table;
pub mod progress;
pub mod html;
pub mod terminal;
pub mod screen;
