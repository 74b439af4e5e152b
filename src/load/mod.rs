//! Doing it: the only floor that opens sockets, besides `server`.

mod budget;
pub mod connection;
mod cookies;
mod decode;
pub mod exchange;
mod gate;
mod incoming;
mod input;
mod lanes;
mod memory;
pub mod notices;
pub mod outcome;
pub mod outlet;
mod proxy;
mod reach;
pub mod resolve;
pub mod response;
pub mod roster;
mod session;
pub mod stop;
mod supply;
pub mod swarm;
mod socket;
mod talk;
pub mod tls;
mod user;
