//! Reports, for people and for programs.

pub mod model;
pub mod plain;
pub mod table;
pub mod requests;
pub mod html;
pub mod csv;
pub mod json;
pub mod junit;
pub mod hgrm;
pub mod terminal;
pub mod compare;
pub mod files;
pub mod collector;
mod samples;
pub mod screen;
