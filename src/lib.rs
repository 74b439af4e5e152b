//! x
pub mod cli;
pub mod clock;
pub mod error;
pub mod load;
pub mod machine;
pub mod plan;
pub mod stats;
pub mod telemetry;
pub mod target;
pub mod run;
pub mod report;
pub mod command;
