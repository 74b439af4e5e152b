//! HTTP load with Locust-style users on plain OS threads, and telemetry that can be trusted and merged.

pub mod error;
pub mod clock;
pub mod machine;
pub mod load;
pub mod target;
