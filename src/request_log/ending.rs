//! How the log of requests ended, and what a reader must know of it.

/// How a log ended.
#[derive(Clone, Debug)]
pub struct LogEnd {
    /// Records in the file.
    pub written: u64,
    /// Records that are not.
    pub lost: u64,
    /// Why writing it ended early.
    pub failure: Option<String>,
}

/// The kind of a warning about a log, and a sentence.
pub type LogWarning = (&'static str, String);

impl LogEnd {
    /// What a reader must know of: that the log is not whole.
    #[must_use]
    pub fn warning(&self) -> Option<LogWarning> {
        let all = self.written + self.lost;
        match &self.failure {
            Some(why) => {
                let detail =
                    format!("the log of requests ended early: {why}; {} of {all} records are not in it", self.lost);
                Some(("request_log_failed", detail))
            }
            None if self.lost > 0 => {
                let detail =
                    format!("{} of {all} records are not in the log of requests: its disk was too slow", self.lost);
                Some(("request_log_lost", detail))
            }
            None => None,
        }
    }
}
