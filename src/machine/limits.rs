//! What this process may use.
