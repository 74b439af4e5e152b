//! The user's files: which of them are the same one, and how one is replaced without being lost.

pub mod apart;
pub mod replace;
