//! Doing it: the only floor that opens sockets, besides `target`.

pub mod connection;
pub mod exchange;
mod input;
pub mod outcome;
mod proxy;
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
