//! What statistics are kept by.

use std::fmt;

/// Index of an endpoint in [`Plan::endpoints`](super::Plan::endpoints), which statistics are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// The unit that statistics are grouped by: a method and a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The method, at most 32 bytes.
    pub method: String,
    /// Path and query as written, preceded by the host if it differs from `--host`.
    pub name: String,
}

impl fmt::Display for Endpoint {
    /// `METHOD name`, as used in checks and reports; only the name for the group of endpoints beyond the
    /// maximum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.method.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{}", self.method, self.name)
    }
}
