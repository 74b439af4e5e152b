//! How a request ended, as the stream and the log of requests say it.

use super::{Ending, Failure};
use crate::vocabulary::RequestResult;

impl Ending {
    /// The same as a word, without the reason of a failure.
    #[must_use]
    pub const fn result(self) -> RequestResult {
        match self {
            Self::Ok => RequestResult::Ok,
            Self::Failed(_) => RequestResult::Failed,
            Self::Aborted => RequestResult::Aborted,
        }
    }

    /// Why it failed, if it did.
    #[must_use]
    pub const fn failure(self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Ok | Self::Aborted => None,
        }
    }
}
