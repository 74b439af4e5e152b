//! The user's files: detecting that two are the same, and replacing one without losing it.

pub mod distinct;
pub mod replace;
