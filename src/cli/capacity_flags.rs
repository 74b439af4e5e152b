//! The flags of `capacity`: its own, and those of `run` that do not say how much load there is.
#![allow(clippy::doc_markdown, rustdoc::invalid_html_tags, reason = "doc comments here are the help page")]

use std::time::Duration;

use clap::Args;

use super::flags::RunFlags;
use crate::error::{Error, Result};
use crate::value;

/// Flags of `swarmline capacity`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CapacityFlags {
    /// How the highest rate is searched for.
    #[command(flatten)]
    pub search: SearchFlags,
    /// What is sent, and what is left behind, by the flags of `run`.
    #[command(flatten)]
    pub run: RunFlags,
}

/// Flags of the search itself.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct SearchFlags {
    /// Rate of the first step, in requests (or tasks of a scenario) per second; it doubles until a step fails
    #[arg(long, value_name = "R", default_value = "10", value_parser = value::rate, help_heading = "Search")]
    pub from: f64,
    /// Highest rate to try [default: no limit]
    #[arg(long, value_name = "R", value_parser = value::rate, help_heading = "Search")]
    pub to: Option<f64>,
    /// Measured part of a step; the steps that confirm the result take three times as long
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = value::positive_duration,
          help_heading = "Search")]
    pub step_time: Duration,
    /// Time at the rate of a step before its measured part begins
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::duration, help_heading = "Search")]
    pub settle: Duration,
    /// How far the result may be from the highest rate; half of it is how close the rate above it that failed is
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = precision, help_heading = "Search")]
    pub precision: f64,
    /// Exit with code 3 if the service takes less than this rate
    #[arg(long, value_name = "R", value_parser = value::rate, help_heading = "Search")]
    pub min_rate: Option<f64>,
}

/// Flags of `run` that mean nothing here, by their names in [`RunFlags`], and why.
const REFUSED: [(&str, &str); 9] = [
    ("spawn_rate", "users are started as they are needed"),
    ("run_time", STEPS),
    ("max_requests", STEPS),
    ("rate", "the search decides the rate; --from and --to limit it"),
    ("stages", STEPS),
    ("wait", "the rate of a step says when requests are sent"),
    ("warmup", "each step has a warm-up of its own, --settle"),
    ("shard", "one process decides on the rate, so it sends all requests"),
    ("exit_code_on_error", "failed requests make a step fail, and not the search"),
];

const STEPS: &str = "the search decides how long it takes; --step-time and --settle are those of a step";

fn is_refused(id: &str) -> bool {
    REFUSED.iter().any(|(refused, _)| *refused == id)
}

/// Help of flags of `run` whose own text names flags that mean nothing here, by their names in [`RunFlags`].
const HELP: [(&str, &str); 3] = [
    ("users", "Most users at a time, each with its own connection [default: 1000]"),
    ("arrival", "Intervals between arrivals: all the same (constant) or random (poisson) [default: constant]"),
    ("run_id", "Id of the run [default: 8 random hex digits]"),
];

/// Takes the flags that mean nothing here out of the help page, and their variables out of account: a variable for `run`
/// may be set where `capacity` is used.
pub(super) fn hide_others(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let id = argument.get_id().as_str();
        if is_refused(id) {
            return argument.hide(true).env(None::<&'static str>);
        }
        match HELP.iter().find(|(described, _)| *described == id) {
            Some((_, help)) => argument.help(*help),
            None => argument,
        }
    })
}

/// Refuses flags that mean nothing here, of those that were given on the command line.
///
/// # Errors
/// Names the flag.
pub(super) fn refuse_others<'f>(given: impl Iterator<Item = &'f str>) -> Result<()> {
    let Some(id) = given.filter(|id| is_refused(id)).min() else { return Ok(()) };
    let why = REFUSED.iter().find(|(refused, _)| *refused == id).map_or("", |(_, why)| why);
    let flag = format!("--{}", id.replace('_', "-").replace("max-requests", "requests"));
    Err(Error::usage(flag, format!("has no meaning for swarmline capacity: {why}")))
}

/// A share that the bounds can be halved to.
fn precision(text: &str) -> std::result::Result<f64, String> {
    match value::share(text)? {
        share if (0.005..=1.0).contains(&share) => Ok(share),
        _ => Err("must be from 0.5% to 100%".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  swarmline capacity http://127.0.0.1:8080/ok --check 'p99 < 50ms'
  swarmline capacity -f scenario.json --from 50 --to 2000 --check 'p95 < 200ms' --check 'fail_ratio < 0.1%' --html c.html
  swarmline capacity -H http://127.0.0.1:8080 /items --check 'p99 < 50ms' --min-rate 300";
