//! Showing it to people.

pub mod model;
pub mod terminal;
