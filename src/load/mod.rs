//! Doing it: the only floor that opens sockets, besides `target`.

pub mod connection;
#[allow(dead_code, reason = "users that begin anew, and extractions, come next")]
mod cookies;
pub mod exchange;
mod input;
#[allow(dead_code, reason = "scenarios, which look at answers, come next")]
mod memory;
pub mod outcome;
mod reach;
pub mod resolve;
mod queue;
pub mod response;
pub mod roster;
pub mod stop;
pub mod swarm;
mod socket;
mod talk;
mod user;
