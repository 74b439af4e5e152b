//! Doing it: the only floor that opens sockets, besides `target`.

pub mod connection;
pub mod exchange;
pub mod gauges;
mod input;
pub mod outcome;
pub mod resolve;
pub mod response;
pub mod stop;
pub mod swarm;
mod tcp;
mod user;
