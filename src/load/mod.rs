//! Doing it: the only floor that opens sockets, besides `target`.

pub mod response;
