//! Showing it to people.

pub mod terminal;
