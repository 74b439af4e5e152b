//! Reading what a user names: a file, a pipe or a device, as far as a named limit goes. `/dev/zero` has no end, and a
//! file that is not what was meant may be of any length.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// How long an input may be, and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    what: &'static str,
    mib: u64,
}

impl Limit {
    /// `what`, with its article, may have so many MiB.
    #[must_use]
    pub const fn mib(what: &'static str, mib: u64) -> Self {
        Self { what, mib }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.mib * MIB
    }
}

impl fmt::Display for Limit {
    /// The sentence about what is longer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = if self.mib.is_multiple_of(1024) { (self.mib / 1024, "GiB") } else { (self.mib, "MiB") };
        write!(f, "is longer than {number} {unit}, the most that {} may have", self.what)
    }
}

/// The content of a file, pipe or device.
///
/// # Errors
/// What the system says, or that it is longer than the limit.
pub fn file(path: &Path, limit: Limit) -> Result<Vec<u8>, String> {
    content(open(path, limit)?.source, limit)
}

/// As [`file()`], of a source that is open.
///
/// # Errors
/// As of [`file()`].
pub fn source(source: impl Read, limit: Limit) -> Result<Vec<u8>, String> {
    content(source, limit)
}

/// Opens a file, pipe or device for reading it piece by piece; going over the limit is an error of the reader.
///
/// # Errors
/// What the system says, or that it is longer than the limit, where that is known by now.
pub fn open(path: &Path, limit: Limit) -> Result<Bounded<File>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    let length = file.metadata().map_err(|why| why.to_string())?.len();
    if length > limit.bytes() { Err(limit.to_string()) } else { Ok(Bounded::new(file, limit)) }
}

/// Not by [`Bounded`]: a reader of our own has its whole buffer zeroed first, and so twice the memory in use.
fn content(source: impl Read, limit: Limit) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // One byte beyond the limit tells what ends there from what goes on.
    source.take(limit.bytes() + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > limit.bytes() { Err(limit.to_string()) } else { Ok(bytes) }
}

/// A reader that fails where its source goes over a limit.
#[derive(Debug)]
pub struct Bounded<R> {
    source: R,
    limit: Limit,
    left: u64,
    line: Option<Line>,
}

/// How long a line may be, and how much of it was read.
#[derive(Clone, Copy, Debug)]
struct Line {
    limit: Limit,
    read: u64,
}

impl<R: Read> Bounded<R> {
    /// A source that is open.
    #[must_use]
    pub const fn new(source: R, limit: Limit) -> Self {
        Self { source, limit, left: limit.bytes(), line: None }
    }

    /// With a limit on each line, too: a reader of lines holds one as a whole.
    #[must_use]
    pub fn with_lines(self, limit: Limit) -> Self {
        Self { line: Some(Line { limit, read: 0 }), ..self }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte beyond the limit tells what ends there from what goes on.
        let room = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.source.read(&mut buffer[..room])?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(self.limit.to_string()))?;
        if let Some(line) = &mut self.line {
            for piece in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
                line.read += piece.len() as u64;
                if line.read > line.limit.bytes() {
                    return Err(io::Error::other(line.limit.to_string()));
                }
                line.read = if piece.ends_with(b"\n") { 0 } else { line.read };
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Limit = Limit::mib("a test's input", 1);

    #[test]
    fn input_as_long_as_the_limit_is_read_and_a_byte_more_is_refused() {
        let length = usize::try_from(MIB).unwrap();
        assert_eq!(source(&vec![b'x'; length][..], ONE).unwrap().len(), length);
        let why = &"is longer than 1 MiB, the most that a test's input may have".to_owned();
        assert_eq!(source(&vec![b'x'; length + 1][..], ONE).as_deref(), Err(why));
        assert_eq!(source(io::repeat(0), ONE).as_deref(), Err(why));
        assert_eq!(file(Path::new("/dev/zero"), ONE).as_deref(), Err(why));
        assert!(file(Path::new("/"), ONE).unwrap_err().contains("directory"));
        assert_eq!(Limit::mib("x", 2048).to_string(), "is longer than 2 GiB, the most that x may have");
    }

    #[test]
    fn a_line_may_have_a_limit_of_its_own() {
        let long = Limit::mib("a test's input", 100);
        let lines = vec![b"x".repeat(1000); 2000].join(&b'\n');
        let read = |bytes: &[u8]| io::copy(&mut Bounded::new(bytes, long).with_lines(ONE), &mut io::sink());
        assert_eq!(read(&lines).unwrap(), lines.len() as u64);
        assert!(read(&b"x".repeat(2_000_000)).unwrap_err().to_string().contains("1 MiB"));
    }
}
