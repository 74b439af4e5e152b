//! Files that a command names: read where their text becomes part of a body or a header.

use std::path::Path;

use super::super::marks;
use super::super::shell::Stdin;
use crate::bounded::{self, SizeLimit};

/// Maximum size of a file whose text is written into the scenario.
const MAX_INLINE: SizeLimit = SizeLimit::mib("a file that is written into a scenario", 1);

/// Why `run` could not read a body from a file with this path, whatever files there are.
pub(super) fn why_not_a_file(path: &str) -> Option<&'static str> {
    /// Bytes of a path and of a name in it: what all systems allow.
    const LONGEST: (usize, usize) = (1024, 255);
    let name = path.rsplit('/').next().unwrap_or_default();
    if path.is_empty() {
        Some("the name of the file is empty")
    } else if path == "-" {
        Some("it is read from standard input; save it to a file")
    } else if matches!(name, "" | "." | "..") {
        Some("it is a folder")
    } else if path.contains('\0')
        || marks::has_byte(path)
        || path.len() > LONGEST.0
        || path.split('/').any(|name| name.len() > LONGEST.1)
    {
        Some("no file can have this name")
    } else {
        None
    }
}

/// The text of a file, or of standard input for `-`; bytes that are not UTF-8 are marked.
///
/// # Errors
/// A sentence.
pub(super) fn text(path: &str, stdin: Option<&Stdin>) -> Result<String, String> {
    if path == "-" {
        match stdin {
            Some(Stdin::Text(text)) => return Ok(text.clone()),
            Some(Stdin::File(path)) if path != "-" => return text_of(path),
            _ => {}
        }
    }
    text_of(path)
}

fn text_of(path: &str) -> Result<String, String> {
    if let Some(why) = why_not_a_file(path) {
        return Err(why.to_owned());
    }
    if marks::has_variable(path) {
        return Err("its name is known only when it runs".to_owned());
    }
    let path = Path::new(path);
    // A pipe or a device may never end, or be read by somebody else.
    let is_file = std::fs::metadata(path).map_err(|why| why.to_string())?.is_file();
    if !is_file {
        return Err("it is not a file".to_owned());
    }
    let bytes = bounded::read_file(path, MAX_INLINE)?;
    if bytes.utf8_chunks().any(|chunk| marks::has_any(chunk.valid())) {
        return Err("it is not text".to_owned());
    }
    let mut text = String::new();
    marks::push_bytes(&mut text, &bytes);
    Ok(text)
}
