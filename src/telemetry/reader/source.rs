//! The lines of a file, of a compressed one, or of standard input, with bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::Reading;
use crate::error::{Error, Result};

/// Longest line that is looked at: 4096 bytes and whatever a transport puts in front. Of a longer one, which cannot be
/// of a stream, this much.
const MOST_LINE: usize = 64 * 1024;

/// Reads a stream from `path`, or from standard input where that is `-`; `each` gets every line that says something,
/// and whoever complains of it the reading.
///
/// # Errors
/// Exit 2: the file cannot be read, or holds more than one stream, or none.
pub fn read(path: &Path, mut each: impl FnMut(super::Line, &mut Reading)) -> Result<super::Read> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let cannot = |why: io::Error| Error::usage(&name, why);
    let input: Box<dyn Read> =
        if is_stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(cannot)?) };
    let mut lines = Lines::new(input).map_err(cannot)?;
    let mut reading = Reading::new(&name);
    loop {
        match lines.next() {
            Ok(true) => {}
            Ok(false) => break,
            // A compressed stream whose writer was killed.
            Err(why) if lines.is_compressed && why.kind() != io::ErrorKind::Interrupted => {
                reading.broken(&format!("the compressed stream breaks off: {why}"));
                break;
            }
            Err(why) => return Err(Error::usage(&name, format!("line {}: {why}", reading.lines + 1))),
        }
        if let Some(line) = reading.take(&lines.line)? {
            each(line, &mut reading);
        }
    }
    reading.finish()
}

/// Lines of bytes, of which only one is in memory.
struct Lines {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    is_compressed: bool,
}

impl Lines {
    fn new(input: Box<dyn Read>) -> io::Result<Self> {
        let mut plain = BufReader::with_capacity(MOST_LINE, input);
        // RFC 1952 section 2.3.1.
        let is_compressed = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead> =
            if is_compressed { Box::new(BufReader::new(MultiGzDecoder::new(plain))) } else { Box::new(plain) };
        Ok(Self { input, line: Vec::new(), is_compressed })
    }

    /// Puts the next line into `line`, without its end; false where there is none.
    fn next(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut any = false;
        loop {
            let piece = match self.input.fill_buf() {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            if piece.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let (taken, used) = end.map_or((piece.len(), piece.len()), |end| (end, end + 1));
            let room = MOST_LINE - self.line.len();
            self.line.extend_from_slice(&piece[..taken.min(room)]);
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}
