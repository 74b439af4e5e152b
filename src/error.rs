//! What ends the work, and with which exit code.
//!
//! An [`Error`] ends the run and is printed once, as one line. A failed request is not an error: it is data, counted
//! as a [`Failure`](crate::outcome::Failure).

use std::fmt::{self, Write as _};

use crate::secret::masked;

/// Exit codes of the process (`SPEC`, "Exit codes"), the graver the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: everything was as asked.
    Pass,
    /// 1, or what `--exit-code-on-error` says: some request failed.
    Failures(u8),
    /// 2: usage or environment wrong; nothing was sent.
    Usage,
    /// 3: a check was not met.
    CheckFailed,
    /// 4: the run is not valid.
    Invalid,
    /// 130: a signal ended the process before its work was done.
    Killed,
}

impl Exit {
    /// The exit of a run that ended with this code, as its stream tells it.
    #[must_use]
    pub const fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Pass,
            2 => Self::Usage,
            3 => Self::CheckFailed,
            4 => Self::Invalid,
            130 => Self::Killed,
            other => Self::Failures(other),
        }
    }

    /// The number that the shell sees.
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

/// Ends the work: names the flag, path or limit, and why.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    what: String,
    why: String,
}

/// A result whose error ends the work.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Usage or environment is wrong: exit 2, nothing was sent. `what` names the flag, path or limit.
    pub fn usage(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, what: what.into(), why: why.to_string() }
    }

    /// The run is not valid: exit 4.
    pub fn invalid(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { exit: Exit::Invalid, what: what.into(), why: why.to_string() }
    }

    /// A signal ended the work before it was done: exit 130.
    pub fn interrupted(what: impl Into<String>) -> Self {
        let why = "a signal came before its end; nothing was made of it".to_owned();
        Self { exit: Exit::Killed, what: what.into(), why }
    }

    /// The same about what goes by another name: `rename` may give one for the first word of what it is about.
    #[must_use]
    pub fn renamed(mut self, rename: impl FnOnce(&str) -> Option<String>) -> Self {
        let (word, rest) =
            self.what.split_once(' ').map_or((&*self.what, ""), |(word, _)| (word, &self.what[word.len()..]));
        if let Some(name) = rename(word) {
            self.what = name + rest;
        }
        self
    }

    /// The exit code this error asks for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    /// One line without secrets, whatever the texts in it hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |c: char| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) };
        masked(&format!("{}: {}", self.what, self.why)).chars().try_for_each(written)
    }
}

impl std::error::Error for Error {}
