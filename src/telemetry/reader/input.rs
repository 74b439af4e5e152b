//! Where streams come from: files, named pipes, standard input; compressed or not, as their first bytes say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};

use crate::error::{Error, Result};

/// Bytes read at once: a thousand inputs have a buffer each.
const BUFFER: usize = 16 * 1024;

/// How a gzip file begins (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How other files begin that hold a stream in a form which is not read, and what to do.
const OTHERS: [(&[u8], &str); 5] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "this is compressed with zstd; give it as text (zstdcat) or as gzip"),
    (&[0xfd, b'7', b'z', b'X'], "this is compressed with xz; give it as text (xzcat) or as gzip"),
    (b"BZh", "this is compressed with bzip2; give it as text (bzcat) or as gzip"),
    (&[0xff, 0xfe], "this is UTF-16, as PowerShell writes it; give it as UTF-8 (Out-File -Encoding utf8)"),
    (&[0xfe, 0xff], "this is UTF-16; give it as UTF-8"),
];

/// What an input has to be.
const EXPECTED: &str =
    "expected a stream that swarmline wrote (--telemetry): a file, a named pipe, or - for standard input";

/// The error about an input that does not exist; a pattern comes as it is written where the shell finds no file for it.
fn missing(name: &str) -> Error {
    let is_pattern = name.contains(['*', '?', '[']);
    let what = if is_pattern { "no file matches this pattern" } else { "does not exist" };
    Error::usage(name, format!("{what}; {EXPECTED}"))
}

/// Bytes by which all of these are known.
const MAGIC: usize = 4;

/// An input. What is not there yet is [`io::ErrorKind::WouldBlock`].
pub struct MergeInput {
    name: String,
    content: Content,
    is_compressed: bool,
    /// For waiting; `None` for a file, where there is always something to read.
    pipe: Option<File>,
}

enum Content {
    /// Its first bytes, as far as they are there.
    Begun(Option<Patient>, Vec<u8>),
    Open(BufReader<Box<dyn Read + Send>>),
}

impl MergeInput {
    /// Opens a file, a named pipe, or standard input where the path is `-`. A named pipe is opened whether or not its
    /// writer is there.
    ///
    /// # Errors
    /// Names the file: exit 2.
    pub fn open(path: &Path) -> Result<Self> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let cannot = |why: io::Error| Error::usage(&name, why);
        let file = if is_stdin {
            io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(cannot)?
        } else {
            open(path)
                .map_err(|why| if why.kind() == io::ErrorKind::NotFound { missing(&name) } else { cannot(why) })?
        };
        let kind = file.metadata().map_err(cannot)?.file_type();
        if kind.is_dir() {
            return Err(Error::usage(&name, format!("is a directory; {EXPECTED}, such as {name}/run-*.ndjson")));
        }
        let pipe = if kind.is_file() { None } else { Some(file.try_clone().map_err(cannot)?) };
        let source = Patient { file, is_file: kind.is_file() };
        Ok(Self { name, content: Content::Begun(Some(source), Vec::new()), is_compressed: false, pipe })
    }

    /// As it is named in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to wait for; `None` for a file.
    #[must_use]
    pub fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(File::as_fd)
    }

    /// Whether anything of it has come.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        match &self.content {
            Content::Begun(_, bytes) => !bytes.is_empty(),
            Content::Open(_) => true,
        }
    }

    /// Whether it is compressed, as far as it has begun.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    fn begin(&mut self) -> io::Result<()> {
        let Content::Begun(source, bytes) = &mut self.content else { return Ok(()) };
        let mut next = [0; MAGIC];
        while bytes.len() < MAGIC {
            let Some(reading) = source.as_mut() else { break };
            match reading.read(&mut next[bytes.len()..]) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => break,
                read => {
                    let read = read?;
                    let at = bytes.len();
                    bytes.extend_from_slice(&next[at..at + read]);
                }
            }
        }
        let Some(rest) = source.take() else { return Ok(()) };
        if let Some((_, cure)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, *cure));
        }
        self.is_compressed = bytes.starts_with(&GZIP);
        let whole = Cursor::new(std::mem::take(bytes)).chain(rest);
        let whole: Box<dyn Read + Send> =
            if self.is_compressed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        self.content = Content::Open(BufReader::with_capacity(BUFFER, whole));
        Ok(())
    }
}

impl Read for MergeInput {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(bytes)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for MergeInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.begin()?;
        match &mut self.content {
            Content::Begun(..) => Ok(&[]),
            Content::Open(reader) => reader.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        if let Content::Open(reader) = &mut self.content {
            reader.consume(amount);
        }
    }
}

/// A named pipe is opened whether or not its writer is there: another shard's may be the first to come.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// What is there to be read, and [`io::ErrorKind::WouldBlock`] where that is nothing yet. The descriptor itself may wait:
/// others share the one of standard input.
struct Patient {
    file: File,
    is_file: bool,
}

impl Read for Patient {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if !self.is_file && poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&at_once))? == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.file.read(bytes)
    }
}
