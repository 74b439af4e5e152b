//! What this process and host do.
