//! The file of a log: whole records only, and how many of them are in it.

use std::fs::File;
use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A file that records are written to, plain or compressed.
pub(super) enum LogFile {
    /// Each record is in the file when it was written.
    Plain {
        /// The file.
        file: File,
        /// Its length with whole records only.
        length: u64,
    },
    /// Records are in the file when it was flushed.
    Gzip(Box<GzEncoder<File>>),
}

/// Why records could not be written.
pub(super) struct WriteFailure {
    pub(super) why: io::Error,
    /// Bytes of whole records that were written before.
    pub(super) written: usize,
}

impl LogFile {
    /// A file that was opened.
    pub(super) fn new(file: File, is_compressed: bool) -> Self {
        if is_compressed {
            Self::Gzip(Box::new(GzEncoder::new(file, Compression::fast())))
        } else {
            Self::Plain { file, length: 0 }
        }
    }

    /// Writes records, each of which ends with a line break.
    ///
    /// # Errors
    /// Why not, and how much of them: a record that was written in part is taken back, so that the file can be read.
    pub(super) fn write(&mut self, records: &[u8]) -> Result<(), WriteFailure> {
        match self {
            Self::Plain { file, length } => {
                let mut done = 0;
                while done < records.len() {
                    match file.write(&records[done..]) {
                        Ok(0) => {
                            return Err(take_back(file, *length, &records[..done], io::ErrorKind::WriteZero.into()));
                        }
                        Ok(written) => done += written,
                        Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                        Err(why) => return Err(take_back(file, *length, &records[..done], why)),
                    }
                }
                *length += records.len() as u64;
                Ok(())
            }
            Self::Gzip(encoder) => encoder.write_all(records).map_err(|why| WriteFailure { why, written: 0 }),
        }
    }

    /// Whether records that were written may be in a buffer.
    pub(super) const fn is_buffered(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain { .. } => Ok(()),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain { .. } => Ok(()),
            Self::Gzip(encoder) => encoder.finish().map(drop),
        }
    }
}

/// Takes back the last record of `part`, which was written behind `length`, unless it is whole.
fn take_back(file: &File, length: u64, part: &[u8], why: io::Error) -> WriteFailure {
    let written = part.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    // What is not a regular file cannot be cut, and keeps the piece.
    let _ = file.set_len(length + written as u64);
    WriteFailure { why, written }
}
