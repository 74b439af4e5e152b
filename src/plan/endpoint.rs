//! What statistics are kept by.

use std::fmt;

/// Index of an endpoint in [`Plan::endpoints`](super::Plan::endpoints): what statistics are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// What statistics are kept by: a method and a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The method, at most 32 bytes.
    pub method: String,
    /// Path and query as written, with the host in front where it is not `--host`.
    pub name: String,
}

impl fmt::Display for Endpoint {
    /// `METHOD name`, as people and checks call it; the name alone for the rest of too many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.method.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{}", self.method, self.name)
    }
}
