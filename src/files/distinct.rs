//! Ensures that the inputs and outputs of a command are different files: they are compared by device and
//! inode before any is opened for writing.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::replace::follow_links;
use crate::error::{Error, Result};

/// Where something is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileLocation {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// A file.
    Path(PathBuf),
}

/// An input or output with its name for messages: the flag with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Such as `--html r.html`.
    pub name: String,
    /// Where it is.
    pub location: FileLocation,
}

impl NamedFile {
    /// A file named by a flag.
    #[must_use]
    pub fn file(flag: &str, path: &Path) -> Self {
        Self { name: format!("{flag} {}", path.display()), location: FileLocation::Path(path.to_owned()) }
    }

    /// The stream named by an argument: a file, or standard input for `-`.
    #[must_use]
    pub fn stream(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            return Self { name: "standard input".to_owned(), location: FileLocation::Stdin };
        }
        Self { name: path.display().to_string(), location: FileLocation::Path(path.to_owned()) }
    }

    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self { name: "standard output".to_owned(), location: FileLocation::Stdout }
    }
}

/// Requires that no output is also an input or another output.
///
/// # Errors
/// Names both: exit code 2.
pub fn require_distinct(inputs: &[NamedFile], outputs: &[NamedFile]) -> Result<()> {
    let inputs: Vec<(&NamedFile, FileIdentity)> =
        inputs.iter().filter_map(|input| Some((input, FileIdentity::of(&input.location)?))).collect();
    let mut before: Vec<(&NamedFile, FileIdentity)> = Vec::new();
    for output in outputs {
        let Some(identity) = FileIdentity::of(&output.location) else { continue };
        if let Some((input, _)) = inputs.iter().find(|(_, known)| *known == identity) {
            let why = format!("is the same file as the input {}, which would be overwritten", input.name);
            return Err(Error::usage(&output.name, why));
        }
        if is_descriptor(&output.location) {
            continue;
        }
        if let Some((other, _)) = before.iter().find(|(_, known)| *known == identity) {
            return Err(Error::usage(&output.name, format!("is the same file as {}", other.name)));
        }
        before.push((output, identity));
    }
    Ok(())
}

/// The identity of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FileIdentity {
    /// An existing file, by device and inode.
    Existing(u64, u64),
    /// A new file, by its name and its folder's device and inode.
    New(u64, u64, OsString),
}

impl FileIdentity {
    /// `None` if identity does not matter, as for a device, or cannot be determined, which becomes apparent
    /// when the file is opened.
    fn of(place: &FileLocation) -> Option<Self> {
        match place {
            FileLocation::Stdin => of_stream(&io::stdin()),
            FileLocation::Stdout => of_stream(&io::stdout()),
            FileLocation::Path(path) => Self::of_path(path),
        }
    }

    fn of_path(path: &Path) -> Option<Self> {
        match std::fs::metadata(path) {
            Ok(file) if file.file_type().is_char_device() || file.file_type().is_block_device() => None,
            Ok(file) => Some(Self::existing(&file)),
            Err(_) => {
                let path = follow_links(path).ok()?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let folder = std::fs::metadata(folder).ok()?;
                Some(Self::New(folder.dev(), folder.ino(), path.file_name()?.to_owned()))
            }
        }
    }

    fn existing(file: &Metadata) -> Self {
        Self::Existing(file.dev(), file.ino())
    }
}

/// The identity of a redirected standard stream; pipes and terminals do not count.
fn of_stream(stream: &impl AsFd) -> Option<FileIdentity> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    file.is_file().then(|| FileIdentity::existing(&file))
}

/// Returns whether a path is a descriptor or a device, such as `/dev/stdout`: several outputs may share one.
fn is_descriptor(place: &FileLocation) -> bool {
    matches!(place, FileLocation::Path(path) if path.starts_with("/dev") || path.starts_with("/proc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_may_be_shared_and_new_files_may_not() {
        let file = |flag, path: &str| NamedFile::file(flag, Path::new(path));
        let null = [file("--html", "/dev/null"), file("--junit", "/dev/null")];
        assert!(require_distinct(&[file("--data", "/dev/null")], &null).is_ok());
        let new = [file("--html", "/tmp/./no-such-file"), file("--junit", "/tmp/no-such-file")];
        let why = require_distinct(&[], &new).unwrap_err().to_string();
        assert_eq!(why, "--junit /tmp/no-such-file: is the same file as --html /tmp/./no-such-file");
        let apart = [file("--html", "/tmp/no-such-file"), file("--junit", "/tmp/no-such-file-either")];
        assert!(require_distinct(&[], &apart).is_ok());
    }
}
