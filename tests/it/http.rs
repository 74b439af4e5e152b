//! HTTP as it is spoken, judged by a server that says exactly what a test wants and counts on its own.

mod addresses;
mod answers;
mod kept;
mod redirects;
mod requests;
mod timeouts;
mod unix_socket;
