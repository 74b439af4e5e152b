//! Scenarios made of what people have already: a command that a browser copied, or a recording (HAR).
//!
//! ```text
//! text ─► words ─► curl ─┐
//! file ─► har ───────────┴─► Draft ─► JSON of a scenario, and notes on what was left out
//! ```
//! Pure but for reading the input: nothing here opens a socket.

mod body;
mod correlate;
mod curl;
mod draft;
mod har;
mod other_flags;
mod secrets;
mod words;

use std::io::Read as _;

use crate::error::{Error, Result};
pub use draft::Import;

/// The longest input that is read, bytes: a recording of an hour with its pictures stays below.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What is taken over, besides the obvious.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Requests to other hosts than the first one's.
    pub hosts: Hosts,
    /// Pictures, fonts, style sheets and scripts.
    pub assets: Assets,
    /// Values of headers that usually are secrets.
    pub secrets: Secrets,
}

/// Which hosts' requests are taken over from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Those of the first request's host.
    First,
    /// All.
    All,
}

/// Whether requests for static files are taken over from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assets {
    /// They are not: a browser has them in its cache, and they mostly come from elsewhere.
    LeaveOut,
    /// They are.
    Keep,
}

/// What becomes of header values that usually are secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are left out, and taken from the environment when the scenario runs.
    FromEnvironment,
    /// They are written down as they are.
    Keep,
}

/// Makes a scenario of `input`: a file (HAR, or curl commands), `-` for stdin, a curl command as one text, or its words.
///
/// # Errors
/// One line that names the file and place, or the word; exit 2.
pub fn import(input: &[String], scope: Scope) -> Result<Import> {
    match input {
        [] => Err(Error::usage("import", "what? give a HAR file, a curl command, or - for stdin")),
        [one] if is_command(one) => curl::import("curl command", &words::commands(one)?, scope),
        [one] => text(one, &read(one)?, scope),
        [first, rest @ ..] if is_command(first) => {
            let words = rest.to_vec();
            curl::import("curl command", &[words], scope)
        }
        [_, second, ..] => Err(Error::usage(second.clone(), "one input at a time; quote the curl command")),
    }
}

/// A recording is a JSON object; anything else should be commands.
fn text(name: &str, text: &str, scope: Scope) -> Result<Import> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') {
        return har::import(name, text, scope);
    }
    if is_command(text) {
        return curl::import(name, &words::commands(text)?, scope);
    }
    Err(Error::usage(name, "is neither a HAR file nor a curl command"))
}

fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    matches!(first.rsplit(['/', '\\']).next(), Some("curl" | "curl.exe"))
}

fn read(name: &str) -> Result<String> {
    let refused = |why: std::io::Error| Error::usage(name, why);
    let mut bytes = Vec::new();
    let read = if name == "-" {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(name).map_err(refused)?.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    if read.map_err(refused)? as u64 > LONGEST {
        return Err(Error::usage(name, "is longer than 256 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| Error::usage(name, "is not UTF-8 text"))
}
