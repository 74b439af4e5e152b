//! `-d` and its like: the body of a form, whose pieces add up in the order in which they are written.

use super::super::draft::Notes;
use super::super::marks;
use super::super::shell::Stdin;
use super::files;

/// The data of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Text(String),
    /// A file alone, which need not be read now.
    File {
        path: String,
        /// curl leaves out its line breaks.
        without_breaks: bool,
    },
}

/// How a piece of data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataKind {
    /// `-d`: from a file without line breaks.
    Lines,
    /// `--data-binary`.
    Binary,
    /// `--json`: is not set off by `&`.
    Json,
    /// `--data-raw`: `@` means nothing.
    Raw,
}

/// Adds a piece of data to those before it.
pub(super) fn add(
    data: &mut Option<Data>,
    kind: DataKind,
    flag: &str,
    value: &str,
    stdin: Option<&Stdin>,
    notes: &mut Notes,
) {
    let piece = match value.strip_prefix('@').filter(|_| kind != DataKind::Raw) {
        None => Data::Text(value.to_owned()),
        Some(path) => {
            let without_breaks = kind == DataKind::Lines;
            let path = match stdin {
                Some(Stdin::File(file)) if path == "-" => file,
                _ => path,
            };
            if data.is_none() && path != "-" && files::why_not_a_file(path).is_none() {
                Data::File { path: path.to_owned(), without_breaks }
            } else {
                Data::Text(text_of_file(flag, path, without_breaks, stdin, notes).unwrap_or_default())
            }
        }
    };
    let joint = if kind == DataKind::Json { "" } else { "&" };
    append(data, piece, joint, stdin, notes);
}

/// Adds a value of `--data-urlencode` or `--url-query`.
pub(super) fn add_encoded(data: &mut Option<Data>, flag: &str, value: &str, stdin: Option<&Stdin>, notes: &mut Notes) {
    // The first of the two signs decides.
    let (name, content) = match value.find(['=', '@']).map(|at| value.split_at(at)) {
        None => ("", marks::form_encoded(value)),
        Some((name, content)) if content.starts_with('=') => (name, marks::form_encoded(&content[1..])),
        Some((name, content)) => match files::text(&content[1..], stdin) {
            Ok(text) => (name, marks::form_encoded(&text)),
            Err(why) => {
                notes.lost(format!("{flag} @FILE: left out, {why}"));
                (name, String::new())
            }
        },
    };
    let piece = if name.is_empty() { content } else { format!("{name}={content}") };
    append(data, Data::Text(piece), "&", stdin, notes);
}

fn append(data: &mut Option<Data>, piece: Data, joint: &str, stdin: Option<&Stdin>, notes: &mut Notes) {
    *data = Some(match data.take() {
        None => piece,
        Some(before) => {
            let mut text = text("-d", before, stdin, notes);
            text.push_str(joint);
            text.push_str(&self::text("-d", piece, stdin, notes));
            Data::Text(text)
        }
    });
}

/// The text of data; of a file that cannot be read it is left out, with a note.
pub(super) fn text(flag: &str, data: Data, stdin: Option<&Stdin>, notes: &mut Notes) -> String {
    match data {
        Data::Text(text) => text,
        Data::File { path, without_breaks } => {
            text_of_file(flag, &path, without_breaks, stdin, notes).unwrap_or_default()
        }
    }
}

/// The text of a file as curl sends it; `None`, with a note, if it cannot be read.
pub(super) fn text_of_file(
    flag: &str,
    path: &str,
    without_breaks: bool,
    stdin: Option<&Stdin>,
    notes: &mut Notes,
) -> Option<String> {
    match files::text(path, stdin) {
        Ok(text) if without_breaks => Some(text.replace(['\r', '\n', '\0'], "")),
        Ok(text) => Some(text),
        Err(why) => {
            notes.lost(format!("{flag} @FILE: left out, {why}"));
            None
        }
    }
}
