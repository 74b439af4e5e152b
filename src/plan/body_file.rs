//! Files that are sent as bodies or parts of bodies. A large one stays on disk and is read in pieces while it is sent,
//! through one descriptor that all users share.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::json::{JsonError, RawJson, without_bom};
use super::setting::{fingerprint, fingerprint_of};
use crate::bounded::{self, SizeLimit};

/// Maximum size of a file that is kept in memory. Such a body may be copied for each user (templates, cookies), and one
/// `send` transmits it together with the head.
pub const MAX_IN_MEMORY: u64 = 64 * 1024;

/// Bytes read from a file at a time, which each user that sends one has room for: one TLS record.
pub const PIECE: usize = 16 * 1024;

/// Maximum size of a file that is sent.
const MAX_BODY_FILE: SizeLimit = SizeLimit::mib("a file in a body", 4096);

/// Maximum size of all bodies that are kept in memory: each request has its own, and a load generator has a few GiB.
pub(super) const MAX_BODIES: SizeLimit = SizeLimit::mib("the bodies of all requests", 1024);

/// Maximum number of files that stay open: half of the usual soft limit of descriptors, which is raised later.
const MAX_OPEN: usize = 500;

/// The index of a file among those of [`Plan::body_files`](super::Plan::body_files).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyFileId(pub u32);

/// Why a file can no longer be sent. Counted as a failure of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyFileTrouble {
    /// Its size is not what it was when the run began.
    Resized,
    /// It cannot be read.
    Unreadable,
}

impl BodyFileTrouble {
    /// A short fixed text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Resized => "body file changed its size",
            Self::Unreadable => "body file cannot be read",
        }
    }
}

/// A file that stays on disk. It is opened once: replacing it by another file of the same name changes nothing.
#[derive(Debug)]
pub struct BodyFile {
    id: BodyFileId,
    name: String,
    file: File,
    /// Where the content starts: after a byte order mark that is not sent.
    start: u64,
    /// Size of the file.
    size: u64,
    fingerprint: String,
}

impl BodyFile {
    /// Its index in the plan.
    #[must_use]
    pub const fn id(&self) -> BodyFileId {
        self.id
    }

    /// Its path, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Length of the content in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.size - self.start
    }

    /// Returns whether there is no content.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that the file still has its size: its length has been announced, or is about to be.
    ///
    /// # Errors
    /// It has another size.
    pub fn check_size(&self) -> Result<(), BodyFileTrouble> {
        let now = self.file.metadata().map_err(|_| BodyFileTrouble::Unreadable)?;
        if now.len() == self.size { Ok(()) } else { Err(BodyFileTrouble::Resized) }
    }

    /// Fills `room` with the content from byte `at` on.
    ///
    /// # Errors
    /// The file ends before, or cannot be read.
    pub fn read_at(&self, at: u64, room: &mut [u8]) -> Result<(), BodyFileTrouble> {
        self.file.read_exact_at(room, self.start + at).map_err(|why| match why.kind() {
            io::ErrorKind::UnexpectedEof => BodyFileTrouble::Resized,
            _ => BodyFileTrouble::Unreadable,
        })
    }
}

/// A file's name and length, in place of its content.
#[must_use]
pub fn label(name: &str, bytes: u64) -> String {
    format!("({name}: {bytes} bytes)")
}

/// The content of a file.
#[derive(Clone, Debug)]
pub enum BodyContent {
    /// In memory.
    Memory(Arc<[u8]>),
    /// On disk.
    Disk(Arc<BodyFile>),
}

impl BodyContent {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(file) => file.len(),
        }
    }

    /// Returns whether there is no content.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of what is kept in memory.
    #[must_use]
    pub fn bytes_in_memory(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(_) => 0,
        }
    }

    /// Length and hash.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Memory(bytes) => fingerprint(bytes),
            Self::Disk(file) => file.fingerprint.clone(),
        }
    }
}

/// The files of a plan that stay on disk.
#[derive(Debug, Default)]
pub struct BodyFiles {
    open: Vec<Arc<BodyFile>>,
    /// Nothing is opened; every file is taken as empty.
    are_empty: bool,
}

impl BodyFiles {
    /// Takes every file as empty, whether it exists or not: for a scenario that is checked where its files are not.
    #[must_use]
    pub fn empty() -> Self {
        Self { open: Vec::new(), are_empty: true }
    }

    /// Reads a small file, a pipe or a device, or opens a large file; `name` stands for it in messages.
    ///
    /// # Errors
    /// A sentence.
    pub fn open(&mut self, path: &Path, name: &str) -> Result<BodyContent, String> {
        self.content(path, name, 0)
    }

    /// As [`BodyFiles::open`], for a file whose content is one JSON value; a byte order mark is not part of it (RFC 8259
    /// section 8.1).
    ///
    /// # Errors
    /// A sentence; for other content the position of the error in it.
    pub(super) fn open_json(&mut self, path: &Path) -> Result<BodyContent, String> {
        let not_json = |why: JsonError| format!("not JSON: {why}");
        if !is_large(path)? {
            let bytes = bounded::read_file(path, MAX_BODIES)?;
            RawJson::parse(&bytes).map_err(not_json)?;
            return Ok(BodyContent::Memory(Arc::from(without_bom(&bytes))));
        }
        let mut file = File::open(path).map_err(|why| why.to_string())?;
        let mut first = [0; 3];
        file.read_exact(&mut first).map_err(|why| why.to_string())?;
        let start = (first.len() - without_bom(&first).len()) as u64;
        file.seek(SeekFrom::Start(start)).map_err(|why| why.to_string())?;
        serde_json::from_reader::<_, IgnoredAny>(io::BufReader::new(file)).map_err(|why| not_json(why.into()))?;
        self.content(path, &path.display().to_string(), start)
    }

    /// The files, by id.
    pub(super) fn into_list(self) -> Vec<Arc<BodyFile>> {
        self.open
    }

    fn content(&mut self, path: &Path, name: &str, start: u64) -> Result<BodyContent, String> {
        if self.are_empty {
            return Ok(BodyContent::Memory(Arc::default()));
        }
        if !is_large(path)? {
            return bounded::read_file(path, MAX_BODIES).map(|bytes| BodyContent::Memory(Arc::from(bytes)));
        }
        if let Some(known) = self.open.iter().find(|known| known.name == name && known.start == start) {
            return Ok(BodyContent::Disk(Arc::clone(known)));
        }
        if self.open.len() == MAX_OPEN {
            return Err(format!("is one of over {MAX_OPEN} files in bodies that are too large to be kept in memory"));
        }
        let file = File::open(path).map_err(|why| why.to_string())?;
        let size = file.metadata().map_err(|why| why.to_string())?.len();
        if size > MAX_BODY_FILE.bytes() {
            return Err(MAX_BODY_FILE.to_string());
        }
        let id = BodyFileId(u32::try_from(self.open.len()).unwrap_or(u32::MAX));
        let unread = BodyFile { id, name: name.to_owned(), file, start, size, fingerprint: String::new() };
        let fingerprint = fingerprint_of(&mut Content { file: &unread, at: 0 }).map_err(|why| why.to_string())?;
        let file = Arc::new(BodyFile { fingerprint, ..unread });
        self.open.push(Arc::clone(&file));
        Ok(BodyContent::Disk(file))
    }
}

/// Returns whether a file is to stay on disk. A pipe or a device can be read only once.
fn is_large(path: &Path) -> Result<bool, String> {
    let known = std::fs::metadata(path).map_err(|why| why.to_string())?;
    Ok(known.is_file() && known.len() > MAX_IN_MEMORY)
}

/// Reads a file from its start to its end.
struct Content<'f> {
    file: &'f BodyFile,
    at: u64,
}

impl Read for Content<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.len() - self.at).unwrap_or(usize::MAX).min(room.len());
        self.file.file.read_exact_at(&mut room[..left], self.file.start + self.at)?;
        self.at += left as u64;
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A file in a folder of its own.
    fn scratch(name: &str, content: &[u8]) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("swarmline-body-file-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn a_file_stays_on_disk_if_it_is_larger_than_what_is_kept_in_memory() {
        let limit = usize::try_from(MAX_IN_MEMORY).unwrap();
        let (small, large) = (scratch("small", &vec![b'x'; limit]), scratch("large", &vec![b'x'; limit + 1]));
        let mut files = BodyFiles::default();
        let in_memory = files.open(&small, "s").unwrap();
        let on_disk = files.open(&large, "l").unwrap();
        assert!(matches!(in_memory, BodyContent::Memory(_)) && matches!(on_disk, BodyContent::Disk(_)));
        assert_eq!((in_memory.len(), in_memory.bytes_in_memory()), (MAX_IN_MEMORY, MAX_IN_MEMORY));
        assert_eq!((on_disk.len(), on_disk.bytes_in_memory()), (MAX_IN_MEMORY + 1, 0));
        assert_eq!(on_disk.fingerprint(), fingerprint(&vec![b'x'; limit + 1]));
        files.open(&large, "l").unwrap();
        assert_eq!(files.into_list().len(), 1, "a file is opened once");
    }

    #[test]
    fn a_file_is_read_from_behind_its_byte_order_mark_and_a_change_of_its_size_is_noticed() {
        let text = format!("\u{feff}[{}0]", "1, ".repeat(30_000));
        let path = scratch("marked", text.as_bytes());
        let Ok(BodyContent::Disk(file)) = BodyFiles::default().open_json(&path) else { panic!("a large file") };
        let mut room = [0; 4];
        assert_eq!((file.len(), file.read_at(0, &mut room)), (text.len() as u64 - 3, Ok(())));
        assert_eq!(&room, b"[1, ");
        assert_eq!(file.read_at(file.len() - 3, &mut room), Err(BodyFileTrouble::Resized));
        assert_eq!(file.check_size(), Ok(()));
        fs::write(&path, "shorter").unwrap();
        assert_eq!(file.check_size(), Err(BodyFileTrouble::Resized));
    }
}
