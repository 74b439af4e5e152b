//! The flags of `try`: its own, and those of `run` that decide what a request is and where it goes.
#![allow(clippy::doc_markdown, reason = "doc comments here are the help page")]

use clap::Args;

use super::flags::RunFlags;
use crate::error::{Error, Result};

/// Flags of `swarmline try`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TryFlags {
    /// What is tried, by the flags of `run`.
    #[command(flatten)]
    pub run: RunFlags,
    /// Try only users of this class
    #[arg(long, value_name = "NAME", help_heading = "Scenario")]
    pub class: Option<String>,
    /// Try only this task; on_start and on_stop run as well
    #[arg(long, value_name = "NAME", help_heading = "Scenario")]
    pub task: Option<String>,
    /// Show passwords, tokens and cookies as they are
    #[arg(long, help_heading = "Output")]
    pub show_secrets: bool,
    /// Show bodies in full, not only their first 1 KiB
    #[arg(long, help_heading = "Output")]
    pub full: bool,
}

/// Flags of `run` that mean the same here, by their names in [`RunFlags`].
const OF_RUN: [&str; 26] = [
    "requests",
    "scenario",
    "tags",
    "exclude_tags",
    "host",
    "seed",
    "method",
    "headers",
    "data",
    "json",
    "basic_auth",
    "expect_status",
    "timeout",
    "max_redirects",
    "max_body",
    "connect_timeout",
    "no_keepalive",
    "insecure",
    "cacert",
    "cert",
    "key",
    "proxy",
    "resolve",
    "dns_ttl",
    "ipv4",
    "ipv6",
];

/// As [`OF_RUN`], and the flags of `try` itself.
fn is_known(id: &str) -> bool {
    OF_RUN.contains(&id) || ["unix_socket", "class", "task", "show_secrets", "full", "help"].contains(&id)
}

/// Takes the flags that mean nothing here out of the help page, and their variables out of account: a variable for `run`
/// may be set where `try` is used.
pub(super) fn hide_others(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let is_known = is_known(argument.get_id().as_str());
        if is_known { argument } else { argument.hide(true).env(None::<&'static str>) }
    })
}

/// Refuses flags that mean nothing here, of those that were given on the command line.
///
/// # Errors
/// Names the flag.
pub(super) fn refuse_others<'f>(given: impl Iterator<Item = &'f str>) -> Result<()> {
    match given.filter(|id| !is_known(id)).min() {
        Some(id) => {
            let flag = format!("--{}", id.replace('_', "-").replace("max-requests", "requests"));
            Err(Error::usage(flag, "has no meaning for swarmline try: one user does each task once, without a report"))
        }
        None => Ok(()),
    }
}

const EXAMPLES: &str = "\
Examples:
  swarmline try http://127.0.0.1:8080/ok
  swarmline try -f scenario.json --task checkout
  swarmline try -H http://127.0.0.1:8080 'POST /orders' --json @order.json --full";
