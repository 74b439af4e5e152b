//! Reads inputs named by the user (a file, a pipe or a device) up to a limit. `/dev/zero` never ends, and a
//! file given by mistake may have any length.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// The maximum length of an input, and the input's name for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit {
    what: &'static str,
    mib: u64,
}

impl SizeLimit {
    /// A limit of `mib` MiB for `what`, which includes its article.
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

impl fmt::Display for SizeLimit {
    /// The error message for an input over the limit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = if self.mib.is_multiple_of(1024) { (self.mib / 1024, "GiB") } else { (self.mib, "MiB") };
        write!(f, "is longer than {number} {unit}, the maximum for {}", self.what)
    }
}

/// The content of a file, pipe or device.
///
/// # Errors
/// The system's error, or that the input is longer than the limit.
pub fn read_file(path: &Path, limit: SizeLimit) -> Result<Vec<u8>, String> {
    content(open(path, limit)?.source, limit)
}

/// Like [`read_file()`], for an open source.
///
/// # Errors
/// As for [`read_file()`].
pub fn read_source(source: impl Read, limit: SizeLimit) -> Result<Vec<u8>, String> {
    content(source, limit)
}

/// Opens a file, pipe or device for incremental reading; exceeding the limit is an error of the reader.
///
/// # Errors
/// The system's error, or that the input is longer than the limit if that is already known.
pub fn open(path: &Path, limit: SizeLimit) -> Result<Bounded<File>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    let length = file.metadata().map_err(|why| why.to_string())?.len();
    if length > limit.bytes() { Err(limit.to_string()) } else { Ok(Bounded::new(file, limit)) }
}

/// Does not use [`Bounded`]: with a custom reader the standard library first zeroes the whole buffer, which
/// doubles the memory in use.
fn content(source: impl Read, limit: SizeLimit) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // One byte beyond the limit shows whether the input ends there.
    source.take(limit.bytes() + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > limit.bytes() { Err(limit.to_string()) } else { Ok(bytes) }
}

/// A reader that fails when its source exceeds a limit.
#[derive(Debug)]
pub struct Bounded<R> {
    source: R,
    limit: SizeLimit,
    remaining: u64,
    line: Option<LineLimit>,
}

/// The maximum length of a line, and how much of the current one was read.
#[derive(Clone, Copy, Debug)]
struct LineLimit {
    limit: SizeLimit,
    read: u64,
}

impl<R: Read> Bounded<R> {
    /// Wraps an open source.
    #[must_use]
    pub const fn new(source: R, limit: SizeLimit) -> Self {
        Self { source, limit, remaining: limit.bytes(), line: None }
    }

    /// Adds a limit on each line, for readers that hold a complete line in memory.
    #[must_use]
    pub fn with_lines(self, limit: SizeLimit) -> Self {
        Self { line: Some(LineLimit { limit, read: 0 }), ..self }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte beyond the limit shows whether the input ends there.
        let room = usize::try_from(self.remaining.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.source.read(&mut buffer[..room])?;
        self.remaining =
            self.remaining.checked_sub(read as u64).ok_or_else(|| io::Error::other(self.limit.to_string()))?;
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

    const ONE: SizeLimit = SizeLimit::mib("a test's input", 1);

    #[test]
    fn an_input_as_long_as_the_limit_is_read_and_one_byte_more_is_refused() {
        let length = usize::try_from(MIB).unwrap();
        assert_eq!(read_source(&vec![b'x'; length][..], ONE).unwrap().len(), length);
        let why = &"is longer than 1 MiB, the maximum for a test's input".to_owned();
        assert_eq!(read_source(&vec![b'x'; length + 1][..], ONE).as_deref(), Err(why));
        assert_eq!(read_source(io::repeat(0), ONE).as_deref(), Err(why));
        assert_eq!(read_file(Path::new("/dev/zero"), ONE).as_deref(), Err(why));
        assert!(read_file(Path::new("/"), ONE).unwrap_err().contains("directory"));
        assert_eq!(SizeLimit::mib("x", 2048).to_string(), "is longer than 2 GiB, the maximum for x");
    }

    #[test]
    fn a_line_may_have_its_own_limit() {
        let long = SizeLimit::mib("a test's input", 100);
        let lines = vec![b"x".repeat(1000); 2000].join(&b'\n');
        let read = |bytes: &[u8]| io::copy(&mut Bounded::new(bytes, long).with_lines(ONE), &mut io::sink());
        assert_eq!(read(&lines).unwrap(), lines.len() as u64);
        assert!(read(&b"x".repeat(2_000_000)).unwrap_err().to_string().contains("1 MiB"));
    }
}
