//! Writes a file so that the old content stays until the new content is complete: to a temporary file next to
//! it, which is then renamed.
//!
//! Files that cannot be replaced this way are written in place: devices, pipes, mount points, and files in
//! folders where no file can be created.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Maximum number of symbolic links that are followed, the same as in Linux (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Maximum number of names tried for a temporary file: existing ones belong to processes that were killed.
const MAX_NAMES: u32 = 1000;

/// Temporary files of this process, so that they can be removed when a signal ends it.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Replaces the content of a file. A symbolic link is kept; mode and owner are kept from the old file.
///
/// # Errors
/// The file cannot be written. It is then unchanged, unless it had to be written in place.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match WriteMethod::of(path)? {
        WriteMethod::InPlace => in_place(path, content),
        WriteMethod::Beside(target, former) => {
            if former.is_some() {
                // A file that is write-protected must not be replaced either.
                File::options().write(true).open(&target)?;
            }
            let Ok(mut new) = TemporaryFile::create(&target, former.as_ref()) else { return in_place(path, content) };
            new.file.write_all(content)?;
            if new.rename(&target).is_err() {
                return in_place(path, content);
            }
            Ok(())
        }
    }
}

/// Checks that [`write()`] can succeed, without changing anything.
///
/// # Errors
/// The file cannot be written.
pub fn check_writable(path: &Path) -> io::Result<()> {
    match WriteMethod::of(path)? {
        WriteMethod::InPlace => Ok(()),
        WriteMethod::Beside(target, Some(_)) => File::options().write(true).open(target).map(drop),
        WriteMethod::Beside(target, None) => TemporaryFile::create(&target, None).map(drop),
    }
}

/// Removes the temporary files of this process and prevents new ones: the process is about to end.
pub fn remove_temporary_files() {
    let mut temporary = temporary();
    for path in temporary.drain(..) {
        // A file that cannot be removed shows by its name where it comes from.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(temporary);
}

/// Follows the symbolic links of a path to its file, which need not exist.
///
/// # Errors
/// Too many links, or a link that cannot be read.
pub fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::symlink_metadata(&path) {
            Ok(file) if file.is_symlink() => {
                let link = std::fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(link);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn temporary() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a file is written.
enum WriteMethod {
    /// Directly: a device, a pipe, a descriptor.
    InPlace,
    /// Through a temporary file next to this path; with the old file's metadata if there is one.
    Beside(PathBuf, Option<Metadata>),
}

impl WriteMethod {
    fn of(path: &Path) -> io::Result<Self> {
        if path.starts_with("/dev") || path.starts_with("/proc") {
            return Ok(Self::InPlace);
        }
        let target = follow_links(path)?;
        match std::fs::symlink_metadata(&target) {
            Ok(file) if file.is_file() => Ok(Self::Beside(target, Some(file))),
            Ok(file) if file.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => Ok(Self::InPlace),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Self::Beside(target, None)),
            Err(why) => Err(why),
        }
    }
}

fn in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    if path == Path::new("/dev/stdout") {
        // Opening the file again would start at a different position in it.
        let mut stdout = io::stdout().lock();
        return stdout.write_all(content).and_then(|()| stdout.flush());
    }
    std::fs::write(path, content)
}

/// A temporary file next to the one that it will replace; removed unless it was renamed.
struct TemporaryFile {
    file: File,
    path: PathBuf,
}

impl TemporaryFile {
    fn create(target: &Path, former: Option<&Metadata>) -> io::Result<Self> {
        let folder = target.parent().unwrap_or(Path::new(""));
        let mode = former.map_or(0o666, |former| former.mode() & 0o777);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut temporary = temporary();
        let mut number = 0;
        let (file, path) = loop {
            let path = folder.join(format!(".swarmline-{}-{number}.tmp", std::process::id()));
            match options.open(&path) {
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists && number < MAX_NAMES => number += 1,
                opened => break (opened?, path),
            }
        };
        temporary.push(path.clone());
        drop(temporary);
        let new = Self { file, path };
        if let Some(former) = former {
            let own = new.file.metadata()?;
            if (own.uid(), own.gid()) != (former.uid(), former.gid()) {
                fchown(&new.file, Some(former.uid()), Some(former.gid()))?;
            }
            new.file.set_permissions(Permissions::from_mode(former.mode() & 0o7777))?;
        }
        Ok(new)
    }

    fn rename(self, target: &Path) -> io::Result<()> {
        let mut temporary = temporary();
        std::fs::rename(&self.path, target)?;
        temporary.retain(|path| *path != self.path);
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let mut temporary = temporary();
        if let Some(place) = temporary.iter().position(|path| *path == self.path) {
            temporary.swap_remove(place);
            // A file that cannot be removed shows by its name where it comes from.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
