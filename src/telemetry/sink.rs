//! Where lines go: standard output, a file, or a compressed file.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::event::{PollFd, PollFlags, poll};

use crate::error::{Error, Result};
use crate::plan::Sink as Destination;

/// An open stream.
pub enum Sink {
    /// Each line leaves in one write.
    Plain(File),
    /// Lines are compressed and leave with the tick.
    Gzip(Box<GzEncoder<File>>),
}

impl Sink {
    /// Opens the stream; an existing file is overwritten.
    ///
    /// # Errors
    /// Names the file.
    pub fn open(destination: &Destination) -> Result<Self> {
        let cannot = |why| Error::usage(destination.to_string(), why);
        match destination {
            // A descriptor of its own: std's stdout buffers, and would write a long line in pieces.
            Destination::Stdout => {
                io::stdout().as_fd().try_clone_to_owned().map(|fd| Self::Plain(fd.into())).map_err(cannot)
            }
            Destination::File(path) => File::create(path).map(Self::Plain).map_err(cannot),
            Destination::Gzip(path) => {
                let file = File::create(path).map_err(cannot)?;
                // Level 1 has no trees of its own.
                Ok(Self::Gzip(Box::new(GzEncoder::new(file, Compression::new(2)))))
            }
        }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The reader is gone, or the file or device fails.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => write_whole(file, line),
            Self::Gzip(encoder) => encoder.write_all(line),
        }
    }

    /// Lets out what is held back, so that a reader has everything up to here.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.finish().map(drop),
        }
    }
}

/// Writes all of `line`, also where whoever started us made the descriptor non-blocking.
fn write_whole(file: &mut File, line: &[u8]) -> io::Result<()> {
    let mut rest = line;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(&*file, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
