//! Doing it: the only floor that opens sockets, besides `target`.

pub mod connection;
pub mod exchange;
mod input;
pub mod outcome;
pub mod resolve;
mod queue;
pub mod response;
pub mod roster;
pub mod stop;
pub mod swarm;
mod talk;
mod tcp;
mod user;
