//! HTTP as it is spoken, judged by a server that says exactly what a test wants and counts on its own.

mod addresses;
mod responses;
mod cookies;
mod http_proxy;
mod kept;
mod redirects;
mod requests;
mod socks_proxy;
mod timeouts;
mod unix_socket;
