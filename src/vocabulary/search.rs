//! Words of the lines about a search for capacity.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::UnknownWord;

words! {
    /// `purpose` of a step: what it is for.
    StepPurpose {
        /// To confirm the best rate.
        Confirm = "confirm",
        /// To try the lowest rate that failed once more.
        Recheck = "recheck",
        /// To find a rate.
        Search = "search",
    }
}

words! {
    /// `result` of a step.
    StepVerdict {
        /// The service did not keep up with the rate, or missed a check.
        Failed = "failed",
        /// The service kept up with the rate and met every check.
        Passed = "passed",
        /// It shows nothing about the service.
        Void = "void",
    }
}

words! {
    /// `answer` of a search: what it has found.
    SearchAnswer {
        /// The rate passed, and a higher one could not be measured.
        AtLeast = "at_least",
        /// The rate was confirmed, and one a precision higher failed.
        Found = "found",
        /// It was ended before the answer was known.
        Interrupted = "interrupted",
        /// The lowest rate that is tried failed.
        NoRate = "no_rate",
        /// No step that could be measured passed.
        NotMeasured = "not_measured",
        /// The rate passed once, and could not be confirmed.
        NotStable = "not_stable",
        /// The highest rate that was asked for was confirmed.
        ReachedTo = "reached_to",
    }
}
