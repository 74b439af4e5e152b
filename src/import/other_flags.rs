//! Flags of curl that do not affect the request, or that swarmline expresses differently.

use super::draft::Notes;
use crate::error::Result;
use crate::secret::{MASK, masked_url};

/// How a flag is handled.
enum FlagHandling {
    /// Ignored without a note; nothing is lost.
    Silent,
    /// Like [`Fate::Silent`], with a value.
    SilentValue,
    /// Corresponds to a flag of `swarmline run`.
    OfTheRun,
    /// Like [`Fate::OfTheRun`], with a value.
    OfTheRunValue,
    /// Takes a value and has no equivalent.
    Lost,
    /// Like [`Fate::Lost`], but the value is not repeated.
    Secret,
    Unknown,
}

/// Skips a flag and its value, with a note if something is lost.
pub(super) fn skip_flag(flag: &str, value: &mut dyn FnMut(&str) -> Result<String>, notes: &mut Notes) -> Result<()> {
    match handling_of(flag) {
        FlagHandling::Silent => {}
        FlagHandling::SilentValue => drop(value(flag)?),
        FlagHandling::OfTheRun => notes.add(format!("{flag}: left out, pass it to swarmline run")),
        FlagHandling::OfTheRunValue => {
            notes.add(format!("{flag} {}: left out, pass it to swarmline run", shown(flag, &value(flag)?)));
        }
        FlagHandling::Lost => notes.add(format!("{flag} {}: left out", shown(flag, &value(flag)?))),
        FlagHandling::Secret => {
            value(flag)?;
            notes.add(format!("{flag}: left out"));
        }
        FlagHandling::Unknown => notes.add(format!("{flag}: unknown flag, left out")),
    }
    Ok(())
}

/// The value without a secret that curl allows in it: after a colon, or in a URL.
fn shown(flag: &str, value: &str) -> String {
    match (flag, value.split_once(':')) {
        ("--cert" | "-E", Some((file, _))) => format!("{file}:{MASK}"),
        _ => masked_url(value),
    }
}

fn handling_of(flag: &str) -> FlagHandling {
    match flag {
        "-s"
        | "--silent"
        | "-S"
        | "--show-error"
        | "-v"
        | "--verbose"
        | "-i"
        | "--include"
        | "-f"
        | "--fail"
        | "-N"
        | "--no-buffer"
        | "-#"
        | "--progress-bar"
        | "-L"
        | "--location"
        | "-g"
        | "--globoff"
        | "--http1.1"
        | "--http2"
        | "--fail-with-body"
        | "-q"
        | "-a"
        | "--no-progress-meter"
        | "--path-as-is"
        | "--tcp-nodelay" => FlagHandling::Silent,
        "-o" | "--output" | "-w" | "--write-out" | "-D" | "--dump-header" | "-c" | "--cookie-jar" | "--stderr" => {
            FlagHandling::SilentValue
        }
        "-k" | "--insecure" | "-4" | "--ipv4" | "-6" | "--ipv6" => FlagHandling::OfTheRun,
        "--connect-timeout" | "--cacert" | "--cert" | "-E" | "--key" | "-x" | "--proxy" | "--resolve"
        | "--unix-socket" | "--max-redirs" => FlagHandling::OfTheRunValue,
        "-U"
        | "--proxy-user"
        | "--pass"
        | "--proxy-pass"
        | "--proxy-header"
        | "--tlspassword"
        | "--proxy-tlspassword"
        | "--tlsuser"
        | "--proxy-tlsuser"
        | "--aws-sigv4"
        | "--login-options"
        | "--proxy-key"
        | "--proxy-cert" => FlagHandling::Secret,
        "-K" | "--config" | "-r" | "--range" | "--retry" | "--limit-rate" | "-C" | "--interface" | "--ciphers"
        | "--capath" => FlagHandling::Lost,
        _ => FlagHandling::Unknown,
    }
}
