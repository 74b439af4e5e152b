//! A request and its response over a connection, and what a user keeps of the response.

pub mod exchange;
mod round_trip;
mod incoming;
pub mod response;
mod kept_connections;
pub(super) mod memory;
pub(super) mod recorder;
pub(super) mod cookies;
mod decode;
pub(super) mod upload;
