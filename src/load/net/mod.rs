//! Connections: names looked up, sockets, proxies and TLS.

pub mod connection;
mod reach;
pub mod resolve;
mod proxy;
pub(super) mod socket;
pub mod tls;
mod input;
