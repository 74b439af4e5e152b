//! Values of the flags about a run on many hosts, and the flags of `merge`.
#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments of flags are the help page"
)]

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::flags::{CheckFlags, Outputs};
use crate::clock::unix_time;

/// `--shard`: which of the processes that make a run together this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardFlag {
    /// `I/N`: number I, from 0, of N.
    Given {
        /// I.
        index: u32,
        /// N.
        count: u32,
    },
    /// `auto` or `auto/N`: as the engine that started the process says; N where the engine gives no total.
    Auto(Option<u32>),
}

impl FromStr for ShardFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("{text:?} is not a number; expected I/N such as 0/4, auto or auto/N"))
        };
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            Some(("auto", count)) => number(count).map(|count| Self::Auto(Some(count))),
            Some((index, count)) => Ok(Self::Given { index: number(index)?, count: number(count)? }),
            None => Err("expected I/N such as 0/4, auto or auto/N".to_owned()),
        }
    }
}

impl fmt::Display for ShardFlag {
    /// The flag and its value as in a command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { index, count } => write!(f, "{index}/{count}"),
            Self::Auto(None) => write!(f, "auto"),
            Self::Auto(Some(count)) => write!(f, "auto/{count}"),
        }
    }
}

/// A time of day on a date as RFC 3339 writes it, or Unix seconds; time since the Unix epoch.
///
/// # Errors
/// A sentence that says what is expected.
pub fn wall_time(text: &str) -> Result<Duration, String> {
    const HINT: &str = "expected a time such as 2026-11-23T10:00:00Z, 2026-11-23T11:00:00+01:00 or Unix seconds";
    let is_decimal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_decimal {
        return text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()).ok_or_else(|| HINT.to_owned());
    }
    unix_time(text).ok_or_else(|| HINT.to_owned())
}

/// Flags of `swarmline merge`.
#[derive(Debug, Args)]
#[command(after_help = MERGE_EXAMPLES)]
pub struct MergeFlags {
    /// Streams of the shards: files (.gz too), named pipes, or - for standard input
    #[arg(value_name = "STREAM", required = true)]
    pub streams: Vec<PathBuf>,
    /// File for the merged stream; - for standard output, compressed if it ends in .gz
    #[arg(long, value_name = "PATH|-", default_value = "-")]
    pub telemetry: PathBuf,
    /// Merge even if shards are missing, cut off, given twice or from another run, and report that
    #[arg(long)]
    pub allow_missing: bool,
    /// Exit code when a request failed, 0 to 255
    #[arg(long, env = "LOCUST_EXIT_CODE_ON_ERROR", value_name = "N", default_value_t = 1)]
    pub exit_code_on_error: u8,
    /// Print no summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
    /// What the run is held to, in place of what the shards' plan says.
    #[command(flatten)]
    pub held_to: CheckFlags,
    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
}

const MERGE_EXAMPLES: &str = "\
Examples:
  swarmline merge run-*.ndjson > master.ndjson
  swarmline merge run-*.ndjson --telemetry master.ndjson --html report.html --check 'p95 < 300ms'
  seq 0 3 | parallel -j4 --line-buffer swarmline run --shard {}/4 --run-id r1 ... \\
    | swarmline merge - > master.ndjson";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_given_or_detected() {
        assert_eq!("3/4".parse(), Ok(ShardFlag::Given { index: 3, count: 4 }));
        assert_eq!("auto".parse(), Ok(ShardFlag::Auto(None)));
        assert_eq!("auto/8".parse(), Ok(ShardFlag::Auto(Some(8))));
        for text in ["", "1", "a/4", "1/b", "auto/", "auto/x", "-1/4", "1/4/4", "AUTO"] {
            assert!(text.parse::<ShardFlag>().is_err(), "{text:?}");
        }
        for text in ["3/4", "auto", "auto/8"] {
            assert_eq!(text.parse::<ShardFlag>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_start_is_a_date_with_an_offset_or_seconds() {
        let expected = Ok(Duration::from_secs(1_795_381_223));
        for text in [
            "1795381223",
            "2026-11-22T21:00:23Z",
            "2026-11-22t21:00:23.000z",
            "2026-11-22T22:00:23+01:00",
            "2026-11-22 15:30:23-05:30",
        ] {
            assert_eq!(wall_time(text), expected, "{text}");
        }
        assert_eq!(wall_time("1795381223.25"), Ok(Duration::from_millis(1_795_381_223_250)));
        for text in ["", "now", "10:00", "2026-11-22", "2026-11-22T21:00:23", "2026-13-01T00:00:00Z", "-5", ".", "1e9"]
        {
            assert!(wall_time(text).is_err(), "{text}");
        }
    }
}
