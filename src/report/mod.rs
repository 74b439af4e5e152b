//! Reports, for people and for programs.

pub mod model;
pub mod plain;
pub mod table;
pub mod requests;
mod timings;
pub mod capacity;
pub mod terminal;
pub mod compare;
pub mod comparison;
pub mod confidence;
pub mod files;
pub mod collector;
mod samples;
pub mod screen;
mod shards;
