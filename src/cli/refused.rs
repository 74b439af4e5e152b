//! Flags and variables of Locust that are not supported: the error says what to do instead.

use std::ffi::OsString;

use crate::error::{Error, Result};

/// What to do instead of a Locust flag that is not supported; `None` when `argument` is not such a flag.
#[must_use]
pub(super) fn instead_of(argument: &str) -> Option<(&str, &'static str)> {
    let flag = argument.split('=').next().unwrap_or(argument);
    let hint = match flag {
        "--master" | "--worker" | "--processes" | "--expect-workers" | "--master-host" | "--master-port" => {
            "there is no master; one process uses every core, so start it once"
        }
        "--reset-stats" => "statistics are not reset after the ramp; the stream has the numbers of every interval",
        "--config" => "configuration files are not supported; use flags or LOCUST_* environment variables",
        "--class-picker" | "--autostart" | "--autoquit" => "there is no web interface; a run starts and ends by itself",
        "--http2" => "only HTTP/1.1 is supported",
        _ if flag.starts_with("--web-") => "there is no web interface; the numbers are in the stream (--telemetry)",
        _ => return None,
    };
    Some((flag, hint))
}

/// Variables of Locust that are refused as their flags are: ten worker pods must not become ten whole loads.
const VARIABLES: [(&str, &str); 5] = [
    ("LOCUST_MODE_MASTER", MANY),
    ("LOCUST_MODE_WORKER", MANY),
    ("LOCUST_EXPECT_WORKERS", MANY),
    ("LOCUST_PROCESSES", "one process uses every core, so start it once, and unset this variable"),
    (
        "LOCUST_LOCUSTFILE",
        "locustfiles are not supported; unset it, and pass a scenario file with -f or SWARMLINE_SCENARIO",
    ),
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
