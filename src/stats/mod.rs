//! Statistics: pure computation, without clock, input or output.

pub mod scale;
pub mod sum;
pub mod histogram;
pub mod packed;
pub mod times;
pub mod timings;
pub mod failed_times;
pub mod interval;
pub mod samples;
pub mod send_lateness;
pub mod recent_rates;
pub mod tally;
pub mod aggregate;
pub mod distributions;
pub mod confidence;
pub mod steadiness;
pub mod comparison;
pub mod build_comparison;
pub mod unfinished;
pub mod step_counts;
pub mod timing_summary;
pub mod stalls;
pub mod check;
pub mod verdict;
