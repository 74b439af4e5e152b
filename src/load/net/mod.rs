//! Connections: names looked up, sockets, proxies and TLS.

pub mod connection;
mod connector;
pub mod resolve;
mod proxy;
pub(super) mod socket;
pub mod tls;
pub(super) mod input;
mod prefetch;
mod yielding;
