//! Ensures that the inputs and outputs of a command are different files: they are compared by device and
//! inode before any is opened for writing.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::replace::without_links;
use crate::error::{Error, Result};

/// Where something is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// A file.
    Path(PathBuf),
}

/// An input or output with its name for messages: the flag with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Such as `--html r.html`.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

impl Named {
    /// A file named by a flag.
    #[must_use]
    pub fn file(flag: &str, path: &Path) -> Self {
        Self { name: format!("{flag} {}", path.display()), place: Place::Path(path.to_owned()) }
    }

    /// The stream named by an argument: a file, or standard input for `-`.
    #[must_use]
    pub fn stream(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            return Self { name: "standard input".to_owned(), place: Place::Stdin };
        }
        Self { name: path.display().to_string(), place: Place::Path(path.to_owned()) }
    }

    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self { name: "standard output".to_owned(), place: Place::Stdout }
    }
}

/// Requires that no output is also an input or another output.
///
/// # Errors
/// Names both: exit code 2.
pub fn check(inputs: &[Named], outputs: &[Named]) -> Result<()> {
    let inputs: Vec<(&Named, Identity)> =
        inputs.iter().filter_map(|input| Some((input, Identity::of(&input.place)?))).collect();
    let mut before: Vec<(&Named, Identity)> = Vec::new();
    for output in outputs {
        let Some(identity) = Identity::of(&output.place) else { continue };
        if let Some((input, _)) = inputs.iter().find(|(_, known)| *known == identity) {
            let why = format!("is the same file as the input {}, which would be overwritten", input.name);
            return Err(Error::usage(&output.name, why));
        }
        if is_descriptor(&output.place) {
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
enum Identity {
    /// An existing file, by device and inode.
    Existing(u64, u64),
    /// A new file, by its name and its folder's device and inode.
    New(u64, u64, OsString),
}

impl Identity {
    /// `None` if identity does not matter, as for a device, or cannot be determined, which becomes apparent
    /// when the file is opened.
    fn of(place: &Place) -> Option<Self> {
        match place {
            Place::Stdin => of_stream(&io::stdin()),
            Place::Stdout => of_stream(&io::stdout()),
            Place::Path(path) => Self::of_path(path),
        }
    }

    fn of_path(path: &Path) -> Option<Self> {
        match std::fs::metadata(path) {
            Ok(file) if file.file_type().is_char_device() || file.file_type().is_block_device() => None,
            Ok(file) => Some(Self::existing(&file)),
            Err(_) => {
                let path = without_links(path).ok()?;
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
fn of_stream(stream: &impl AsFd) -> Option<Identity> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    file.is_file().then(|| Identity::existing(&file))
}

/// Returns whether a path is a descriptor or a device, such as `/dev/stdout`: several outputs may share one.
fn is_descriptor(place: &Place) -> bool {
    matches!(place, Place::Path(path) if path.starts_with("/dev") || path.starts_with("/proc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_may_be_shared_and_new_files_may_not() {
        let file = |flag, path: &str| Named::file(flag, Path::new(path));
        let null = [file("--html", "/dev/null"), file("--junit", "/dev/null")];
        assert!(check(&[file("--data", "/dev/null")], &null).is_ok());
        let new = [file("--html", "/tmp/./no-such-file"), file("--junit", "/tmp/no-such-file")];
        let why = check(&[], &new).unwrap_err().to_string();
        assert_eq!(why, "--junit /tmp/no-such-file: is the same file as --html /tmp/./no-such-file");
        let apart = [file("--html", "/tmp/no-such-file"), file("--junit", "/tmp/no-such-file-either")];
        assert!(check(&[], &apart).is_ok());
    }
}
