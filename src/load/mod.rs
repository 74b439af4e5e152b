//! Doing it: the only floor that opens sockets, besides `server`.

pub mod swarm;
mod user;
pub mod http;
pub mod net;
