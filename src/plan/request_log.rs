//! The log of single requests: where it goes, in which format, and which requests are in it.

use std::path::{Path, PathBuf};

use super::shard::{Shard, path_of_shard};
use super::trace::RequestId;
use crate::cli::RunFlags;
use crate::error::{Error, Result};
use crate::value::share::Share;

/// A log of single requests.
#[derive(Clone, Debug)]
pub struct RequestLogPlan {
    /// The file.
    pub path: PathBuf,
    /// How its records are written.
    pub format: LogFormat,
    /// Whether it is compressed with gzip.
    pub is_compressed: bool,
    /// The share of the requests that is in it.
    pub share: Share,
    seed: u64,
}

/// How the records of a log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object a line.
    Ndjson,
    /// The CSV of Apache JMeter.
    Jtl,
}

/// Tells the choice of requests for the log from that of requests that are traced.
const CHOICE: u64 = 0x6c6f_6720_7368_6172;

impl RequestLogPlan {
    /// The log that the flags ask for.
    ///
    /// # Errors
    /// A share without a file, or a file whose ending stands for no format.
    pub(super) fn from_flags(flags: &RunFlags, shard: Option<Shard>, seed: u64) -> Result<Option<Self>> {
        match (&flags.log_requests, flags.log_share) {
            (Some(file), given) => Self::new(&path_of_shard(file, shard), given.unwrap_or(Share::ALL), seed).map(Some),
            (None, Some(_)) => Err(Error::usage("--log-share", "needs --log-requests, the file that has the share")),
            (None, None) => Ok(None),
        }
    }

    /// A log in the file at `path`, whose name says the format; `seed` decides which requests are in it.
    ///
    /// # Errors
    /// Exit 2: the name has another ending.
    pub fn new(path: &Path, share: Share, seed: u64) -> Result<Self> {
        let name = path.as_os_str().to_string_lossy();
        let (name, is_compressed) = name.strip_suffix(".gz").map_or((&*name, false), |name| (name, true));
        let format = match Path::new(name).extension().and_then(|ending| ending.to_str()) {
            Some("ndjson") => LogFormat::Ndjson,
            Some("jtl") => LogFormat::Jtl,
            _ => {
                let why = "its name must end in .ndjson (JSON lines) or .jtl (JMeter's CSV); .gz may follow either";
                return Err(Error::usage(format!("--log-requests {}", path.display()), why));
            }
        };
        Ok(Self { path: path.to_owned(), format, is_compressed, share, seed: seed ^ CHOICE })
    }

    /// Whether the request is among the share.
    #[must_use]
    pub fn takes(&self, request: RequestId) -> bool {
        self.share.takes(request.bits(self.seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_name_decides_the_format() {
        use LogFormat::{Jtl, Ndjson};
        for (name, format, is_compressed) in [
            ("r.ndjson", Ndjson, false),
            ("a.b/r.ndjson.gz", Ndjson, true),
            ("r.jtl", Jtl, false),
            ("r.jtl.gz", Jtl, true),
        ] {
            let plan = RequestLogPlan::new(Path::new(name), Share::ALL, 0).unwrap();
            assert_eq!((plan.format, plan.is_compressed), (format, is_compressed), "{name}");
        }
        for name in ["r.csv", "r.json", "r", "r.gz", "-", ".jtl", "r.ndjson.zst"] {
            let why = RequestLogPlan::new(Path::new(name), Share::ALL, 0).unwrap_err().to_string();
            assert!(why.starts_with(&format!("--log-requests {name}: ")) && why.contains(".ndjson"), "{why}");
        }
    }
}
