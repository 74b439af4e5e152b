//! Flags of other tools and variables of Locust that are not supported: the error says what to do instead.

use std::ffi::OsString;

use clap::Command;

use super::other_tools;
use crate::error::{Error, Result};

/// What to do instead of another tool's flag; `None` when `argument` is not such a flag.
#[must_use]
pub(super) fn instead_of(argument: &str) -> Option<(&str, &'static str)> {
    let flag = argument.split('=').next().unwrap_or(argument);
    other_tools::hint(flag).map(|hint| (flag, hint))
}

/// Refuses flags that would be read as others: long ones with one dash, as in Go programs (`-duration=5s` would be the
/// body `uration=5s`), and `-d 30s`.
///
/// # Errors
/// Names the flag, and the one to use.
pub(super) fn misread_flags(arguments: &[OsString], run: &Command) -> Result<()> {
    let texts = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    let before = std::iter::once("").chain(texts.clone());
    for (argument, before) in texts.zip(before).take_while(|(argument, _)| *argument != "--") {
        let short_body = if before == "-d" { Some(argument) } else { argument.strip_prefix("-d") };
        if short_body.is_some_and(is_time) {
            return Err(Error::usage(
                "-d",
                "is the body here; use -t TIME for the duration (--data sends this as a body)",
            ));
        }
        // After these a dash may begin a value.
        if ["-d", "--data", "--json"].contains(&before) {
            continue;
        }
        let flag = argument.split('=').next().unwrap_or_default();
        let Some(word) = flag.strip_prefix('-').filter(|word| word.len() > 1 && !word.starts_with('-')) else {
            continue;
        };
        if run.get_arguments().any(|known| known.get_long() == Some(word)) {
            return Err(Error::usage(flag, format!("long flags begin with two dashes; use --{word}")));
        }
        if let Some(hint) = other_tools::hint(&format!("-{flag}")) {
            return Err(Error::usage(flag, hint));
        }
    }
    Ok(())
}

/// A duration as k6 and wrk have it behind `-d`.
fn is_time(text: &str) -> bool {
    let units = text.trim_start_matches(|char: char| char.is_ascii_digit());
    units.len() < text.len() && ["ms", "s", "m", "h"].contains(&units)
}

/// Variables of Locust that are refused as their flags are: ten worker pods must not become ten whole loads, nor the
/// choice of some classes a load by all.
const VARIABLES: [(&str, &str); 7] = [
    ("LOCUST_MODE_MASTER", MANY),
    ("LOCUST_MODE_WORKER", MANY),
    ("LOCUST_EXPECT_WORKERS", MANY),
    ("LOCUST_PROCESSES", "one process uses every core, so start it once, and unset this variable"),
    (
        "LOCUST_LOCUSTFILE",
        "unset it; convert the file with swarmline import, and pass the scenario with -f or SWARMLINE_SCENARIO",
    ),
    (
        "LOCUST_USER_CLASSES",
        "all user classes of a scenario are used; unset it, and leave classes out of the file or give them tags for -T",
    ),
    ("LOCUST_CONFIG_USERS", "unset it; write the settings of users into the classes of a scenario file (-f)"),
];

const MANY: &str =
    "there is no master; unset it and start one process, or several with --shard I/N and swarmline merge";

/// Refuses what Locust's own variables ask for. One that says no asks for nothing.
///
/// # Errors
/// Names the variable, and the way to do it.
pub(super) fn variables(value: &dyn Fn(&str) -> Option<OsString>) -> Result<()> {
    let is_no =
        |text: &str| matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off" | "n" | "f");
    let asked = |name: &str| value(name).is_some_and(|text| !text.to_str().is_some_and(is_no));
    match VARIABLES.into_iter().find(|(name, _)| asked(name)) {
        Some((name, hint)) => Err(Error::usage(name, hint)),
        None => Ok(()),
    }
}
