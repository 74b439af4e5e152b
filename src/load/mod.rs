//! Load generation: besides `server`, the only module that opens sockets.

pub mod swarm;
mod user;
pub mod http;
pub mod net;
