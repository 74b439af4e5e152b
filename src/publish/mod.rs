//! Publishing a run while it goes on: each observer gets the latest snapshot, on a thread of its own.
//!
//! A new observer is a file here, an entry of `OBSERVERS`, and a flag of `swarmline run`.

pub mod feed;
mod cumulative;
mod latest;
mod line;
pub mod observer;
pub mod otlp;
pub mod prometheus;
pub mod publishers;
pub mod snapshot;
mod tables;
pub mod threads;
pub mod web;

use crate::error::Result;
use observer::{Context, Observer, ObserverFactory};

/// Every observer that there is.
const OBSERVERS: [ObserverFactory; 2] = [line::make, tables::make];

/// Those that the flags ask for.
///
/// # Errors
/// One cannot be made: exit 2.
pub fn observers(context: &Context<'_>) -> Result<Vec<Box<dyn Observer>>> {
    OBSERVERS.iter().filter_map(|make| make(context).transpose()).collect()
}
