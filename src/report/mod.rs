//! Showing it to people.

pub mod model;
pub mod html;
pub mod terminal;
