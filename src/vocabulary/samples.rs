//! Words of the lines about single requests.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::UnknownWord;

words! {
    /// `kinds` of a sample: what a request is an example of, among those of its endpoint between two ticks.
    SampleKind {
        /// The first that failed.
        FirstFailed = "first_failed",
        /// The one with the longest response time.
        Slowest = "slowest",
        /// The same among those with a `traceparent` field of ours.
        SlowestTraced = "slowest_traced",
    }
}

words! {
    /// `result` of a request.
    RequestResult {
        /// Cut off by the end of the run.
        Aborted = "aborted",
        /// Failed.
        Failed = "failed",
        /// Completed as expected.
        Ok = "ok",
    }
}
