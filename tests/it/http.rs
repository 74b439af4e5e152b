//! HTTP, against a server that sends exactly the bytes of the test and keeps its own count.

mod addresses;
mod responses;
mod cookies;
mod http_proxy;
mod kept;
mod redirects;
mod requests;
mod socks_proxy;
mod timeouts;
mod timings;
mod trace;
mod unix_socket;
mod uploads;
