//! The lines of a file, of a compressed one, or of standard input, with bounded memory.

use std::io::{self, BufRead as _};
use std::path::Path;
use std::time::Duration;

use super::Reading;
use super::facts::{Config, Fact};
use super::input::Input;
use crate::error::{Error, Result};
use crate::telemetry::interrupt::Interrupt;

/// Longest line that is looked at: 4096 bytes and whatever a transport puts in front. Of a longer one, which cannot be
/// of a stream, this much.
const MOST_LINE: usize = 64 * 1024;

/// Reads a stream from `path`, or from standard input where that is `-`; `each` gets every line that says something,
/// and whoever complains of it the reading.
///
/// # Errors
/// Exit 2: the file cannot be read, or holds more than one stream or none. Exit 130: a signal arrived before its
/// end.
pub fn read(
    path: &Path,
    interrupt: &Interrupt,
    mut each: impl FnMut(super::Line, &mut Reading),
) -> Result<super::Read> {
    let mut lines = Lines { input: Input::open(path)?, line: Vec::new(), stop_timeout: Duration::ZERO };
    let name = lines.input.name().to_owned();
    let mut reading = Reading::new(&name);
    loop {
        match lines.next(interrupt) {
            Ok(Next::Line) => {}
            Ok(Next::Over) => break,
            Ok(Next::Interrupted) => return Err(Error::interrupted(&name)),
            // A compressed stream whose writer was killed.
            Err(why) if lines.input.is_compressed() => {
                reading.broken(&format!("the compressed stream breaks off: {why}"));
                break;
            }
            Err(why) => return Err(Error::usage(&name, format!("line {}: {why}", reading.lines + 1))),
        }
        if let Some(line) = reading.take(&lines.line)? {
            lines.note(&line.fact);
            each(line, &mut reading);
        }
    }
    reading.finish()
}

/// Lines of bytes, of which only one is in memory.
struct Lines {
    input: Input,
    line: Vec<u8>,
    /// That of the run, as far as it has told.
    stop_timeout: Duration,
}

/// What there is.
enum Next {
    /// A line.
    Line,
    /// Nothing more.
    Over,
    /// A signal came, and its writer does not come to its end.
    Interrupted,
}

impl Lines {
    fn note(&mut self, fact: &Fact) {
        let Fact::Config(config) = fact else { return };
        self.stop_timeout = stop_timeout(config).unwrap_or(self.stop_timeout);
    }

    /// Puts the next line into `line`, without its end.
    fn next(&mut self, interrupt: &Interrupt) -> io::Result<Next> {
        self.line.clear();
        let mut any = false;
        loop {
            if self.is_given_up(interrupt) {
                return Ok(Next::Interrupted);
            }
            let piece = match self.input.fill_buf() {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(interrupt)?;
                    continue;
                }
                piece => piece?,
            };
            if piece.is_empty() {
                return Ok(if any { Next::Line } else { Next::Over });
            }
            any = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let (taken, used) = end.map_or((piece.len(), piece.len()), |end| (end, end + 1));
            let room = MOST_LINE - self.line.len();
            self.line.extend_from_slice(&piece[..taken.min(room)]);
            self.input.consume(used);
            if end.is_some() {
                return Ok(Next::Line);
            }
        }
    }

    /// How long its writer may still take after a signal. A file has none.
    fn left(&self, interrupt: &Interrupt) -> Option<Duration> {
        let left = interrupt.left(self.input.has_begun().then_some(self.stop_timeout))?;
        Some(if self.input.pipe().is_some() { left } else { Duration::ZERO })
    }

    fn is_given_up(&self, interrupt: &Interrupt) -> bool {
        interrupt.has_come() && self.left(interrupt) == Some(Duration::ZERO)
    }

    fn wait(&self, interrupt: &Interrupt) -> io::Result<()> {
        let pipe: Vec<_> = self.input.pipe().into_iter().collect();
        interrupt.wait(&pipe, self.left(interrupt)).map(drop)
    }
}

fn stop_timeout(config: &Config) -> Option<Duration> {
    let setting = config.settings.iter().find(|setting| setting.key == "stop-timeout")?;
    Duration::try_from_secs_f64(setting.value.strip_suffix('s')?.parse().ok()?).ok()
}
