//! Errors that end the program, and exit codes.
//!
//! An [`Error`] ends the run and is printed once, as one line. A failed request is not an error: it is data, counted
//! as a [`Failure`](crate::outcome::Failure).

use std::fmt::{self, Write as _};

use crate::secret::masked;

/// Exit codes of the process, in order of increasing severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: everything succeeded.
    Pass,
    /// 1, or the value of `--exit-code-on-error`: some requests failed.
    Failures(u8),
    /// 2: wrong usage or environment; nothing was sent.
    Usage,
    /// 3: a check was not met.
    CheckFailed,
    /// 4: the run is invalid.
    Invalid,
    /// 130: a signal ended the process before it had finished.
    Killed,
}

impl Exit {
    /// The exit of a run that ended with this code, as recorded in its stream.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Pass,
            2 => Self::Usage,
            3 => Self::CheckFailed,
            4 => Self::Invalid,
            130 => Self::Killed,
            other => Self::Failures(other),
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failures(code) => code,
            Self::Usage => 2,
            Self::CheckFailed => 3,
            Self::Invalid => 4,
            Self::Killed => 130,
        }
    }
}

/// An error that ends the program: the flag, path or limit, and the reason.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    what: String,
    why: String,
}

/// A result whose error ends the program.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wrong usage or environment: exit code 2, nothing was sent. `what` names the flag, path or limit.
    pub fn usage(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, what: what.into(), why: why.to_string() }
    }

    /// The run is invalid: exit code 4.
    pub fn invalid(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { exit: Exit::Invalid, what: what.into(), why: why.to_string() }
    }

    /// A signal ended the work before it was done: exit code 130.
    pub fn interrupted(what: impl Into<String>) -> Self {
        let why = "interrupted by a signal before it was finished; no output was written".to_owned();
        Self { exit: Exit::Killed, what: what.into(), why }
    }

    /// Renames the subject of the error: `rename` may return another name for its first word.
    #[must_use]
    pub fn renamed(mut self, rename: impl FnOnce(&str) -> Option<String>) -> Self {
        let (word, rest) =
            self.what.split_once(' ').map_or((&*self.what, ""), |(word, _)| (word, &self.what[word.len()..]));
        if let Some(name) = rename(word) {
            self.what = name + rest;
        }
        self
    }

    /// The exit code for this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    /// One line without secrets, whatever the texts contain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |c: char| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) };
        masked(&format!("{}: {}", self.what, self.why)).chars().try_for_each(written)
    }
}

impl std::error::Error for Error {}
