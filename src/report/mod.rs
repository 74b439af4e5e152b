//! Showing it to people.

pub mod dry_run;
pub mod terminal;
