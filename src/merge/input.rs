//! The inputs of a merge: files, compressed ones, named pipes, standard input.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};

use crate::error::{Error, Result};

/// Bytes read at once: a thousand inputs have a buffer each.
const BUFFER: usize = 16 * 1024;

/// Longest line that is looked at: a record, and whatever a transport puts in front.
const MOST_LINE: u64 = 64 * 1024;

/// An input.
pub(super) struct Input {
    /// As it is named in messages.
    pub(super) name: String,
    reader: BufReader<Box<dyn Read>>,
    /// A line whose rest is still to come.
    begun: Vec<u8>,
    /// To ask whether there is something to read; `None` for a file, where there always is.
    ready: Option<OwnedFd>,
}

/// What is there to be read, and [`io::ErrorKind::WouldBlock`] where that is nothing yet. The descriptor itself may wait:
/// others share the one of standard input.
struct Patient {
    file: File,
    is_file: bool,
}

impl Read for Patient {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.is_file && wait(&[self.file.as_fd()], Patience::None)?.first() != Some(&true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.file.read(bytes)
    }
}

/// What an input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line is in the buffer that was given.
    Line,
    /// The same, without its end: the last of an input whose writer was cut off.
    Tail,
    /// Nothing, until its writer writes.
    NotYet,
    /// Nothing more.
    Over,
}

impl Input {
    /// Opens a file, a named pipe, or standard input where the path is `-`.
    ///
    /// # Errors
    /// Names the file: exit 2.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let cannot = |why: io::Error| Error::usage(&name, why);
        let file = if is_stdin {
            io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(cannot)?
        } else {
            open(path).map_err(cannot)?
        };
        let is_file = file.metadata().map_err(cannot)?.is_file();
        let ready = if is_file { None } else { Some(file.as_fd().try_clone_to_owned().map_err(cannot)?) };
        let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
        let source = Patient { file, is_file };
        let source: Box<dyn Read> =
            if is_compressed { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) };
        Ok(Self { name, reader: BufReader::with_capacity(BUFFER, source), begun: Vec::new(), ready })
    }

    /// Puts the next line into `line`, without its end. Waits neither for one nor for the rest of one: a writer that
    /// stops within a line keeps no other waiting.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        line.clear();
        line.append(&mut self.begun);
        let room = MOST_LINE.saturating_sub(line.len() as u64);
        match (&mut self.reader).take(room).read_until(b'\n', line) {
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                self.begun.append(line);
                return Ok(Next::NotYet);
            }
            // A compressed stream whose writer was killed.
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(why) => return Err(why),
        }
        Ok(match line.last() {
            None => Next::Over,
            Some(b'\n') => {
                line.pop();
                Next::Line
            }
            Some(_) if line.len() as u64 == MOST_LINE => Next::Line,
            Some(_) => Next::Tail,
        })
    }
}

/// A named pipe is opened whether or not its writer is there: another shard's may be the first to come.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// How long to wait for an input.
#[derive(Clone, Copy)]
enum Patience {
    None,
    Endless,
}

/// Which of these inputs have something to read, or are over; waits for the first if `is_idle`.
pub(super) fn ready(inputs: &[&Input], is_idle: bool) -> io::Result<Vec<bool>> {
    let fds: Vec<BorrowedFd<'_>> =
        inputs.iter().filter_map(|input| input.ready.as_ref()).map(|fd| fd.as_fd()).collect();
    wait(&fds, if is_idle { Patience::Endless } else { Patience::None })
}

fn wait(fds: &[BorrowedFd<'_>], patience: Patience) -> io::Result<Vec<bool>> {
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let timeout = match patience {
        Patience::None => Some(&at_once),
        Patience::Endless => None,
    };
    match poll(&mut polled, timeout) {
        Ok(_) => {}
        Err(why) if io::Error::from(why).kind() == io::ErrorKind::Interrupted => {}
        Err(why) => return Err(why.into()),
    }
    Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect())
}
