//! What the commands print: their result on stdout, lines for people on stderr.

use std::io::{self, Write as _};

use crate::error::{Error, Exit, Result};
use crate::report::screen;

/// One line for people on stderr. If stderr cannot be written, the line is lost.
pub fn tell(line: &str) {
    screen::write_stderr(format!("swarmline: {line}\n"));
}

/// Prints a text on stdout. A reader that closes it early is not an error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<Exit> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Error::invalid("stdout", why)),
        _ => Ok(Exit::Pass),
    }
}
