//! Destination of the stream: standard output, a file, or a compressed file.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::plan::Sink as Destination;

/// An open stream.
pub enum OpenStream {
    /// Each line is one write.
    Plain(File),
    /// Lines are compressed and written with each tick.
    Gzip(Box<GzEncoder<File>>),
}

impl OpenStream {
    /// Opens the stream; an existing file is overwritten. For a named pipe it waits for a reader while `wait`, which
    /// sleeps for the given time, returns true.
    ///
    /// # Errors
    /// Exit 2 with the name of the file, or exit 130 if waiting was interrupted.
    pub fn open(destination: &Destination, wait: &dyn Fn(Duration) -> bool) -> Result<Self> {
        let create = |path: &Path| match open_file(path, wait) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(Error::interrupted(destination.to_string())),
            Err(why) => Err(Error::usage(destination.to_string(), why)),
        };
        let cannot = |why| Error::usage(destination.to_string(), why);
        match destination {
            // A descriptor of its own: std's stdout buffers, and would write a long line in pieces.
            Destination::Stdout => {
                io::stdout().as_fd().try_clone_to_owned().map(|fd| Self::Plain(fd.into())).map_err(cannot)
            }
            Destination::File(path) => create(path).map(Self::Plain),
            Destination::Gzip(path) => {
                let file = create(path)?;
                // Level 1 has only fixed Huffman trees.
                Ok(Self::Gzip(Box::new(GzEncoder::new(file, Compression::new(2)))))
            }
        }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// If the reader is gone, or the file or device fails.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => write_whole(file, line),
            Self::Gzip(encoder) => encoder.write_all(line),
        }
    }

    /// Writes buffered data, so that a reader has everything up to here.
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

/// Opens a file for writing, for a named pipe as [`OpenStream::open`] does; `None` if a signal ended the wait.
///
/// # Errors
/// Why it cannot be opened.
pub fn open_file(path: &Path, wait: &dyn Fn(Duration) -> bool) -> io::Result<Option<File>> {
    /// Pause between checks for a reader; a wait in the kernel could not be interrupted.
    const PAUSE: Duration = Duration::from_millis(20);
    if !std::fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo()) {
        return File::create(path).map(Some);
    }
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    loop {
        match File::options().write(true).custom_flags(flags).open(path) {
            Err(why) if why.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                if !wait(PAUSE) {
                    return Ok(None);
                }
            }
            opened => {
                let file = opened?;
                fcntl_setfl(&file, OFlags::empty())?;
                return Ok(Some(file));
            }
        }
    }
}

/// Writes all of `line`, even if the parent process made the descriptor non-blocking.
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
