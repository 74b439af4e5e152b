//! Creates scenarios from existing material: a command copied from a browser, a recording (HAR), a locustfile, a Postman
//! collection, or an OpenAPI document.
//!
//! ```text
//! text ─► shell ─► words ─► curl ─────┐
//! file ─► har ────────────────────────┼─► Draft ─► JSON of a scenario, and notes on what was left out
//! file ─► JSON ─► postman or openapi ─┘
//! file ─► locust ────────────────────────────────► JSON of a scenario, and notes
//! ```
//! Pure apart from reading the input, and the files whose text a command inserts: nothing here opens a socket.

mod body;
mod correlate;
mod curl;
mod document;
mod draft;
mod extraction;
mod fields;
mod har;
mod locust;
mod marks;
mod openapi;
mod postman;
mod scope;
mod secrets;
mod shell;

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::bounded::{self, Bounded, SizeLimit};
use crate::error::{Error, Result};
use crate::plan::json::{Duplicates, Json, RawJson, without_bom};
use crate::secret::masked_url;
pub use draft::Import;
pub use scope::{Assets, Hosts, ImportOptions, Pauses, SecretHandling};
use shell::{Commands, is_command, is_curl};

/// Maximum size of a recording, which is read entry by entry. An hour with all images is smaller.
const MAX_RECORDING: SizeLimit = SizeLimit::mib("a recording", 256);

/// Maximum size of a file of commands, which are split in memory, where each word takes many times its
/// length.
const MAX_COMMANDS: SizeLimit = SizeLimit::mib("a file of curl commands", 4);

/// Maximum size of a collection or an OpenAPI document, which takes ten times as much in memory.
const MAX_DOCUMENT: SizeLimit = SizeLimit::mib("a collection or an OpenAPI document", 16);

/// Stands for a command in errors about it.
const COMMAND: &str = "curl command";

/// Creates a scenario from `input`: a file (HAR, Postman collection, OpenAPI document, or curl commands), `-` for stdin, a
/// curl command as one
/// text, or its words.
///
/// # Errors
/// One line that names the file and position, or the word; exit code 2.
pub fn import(input: &[String], scope: ImportOptions, environments: &[PathBuf]) -> Result<Import> {
    match input {
        [] => Err(Error::usage(
            "import",
            "no input given; pass a HAR file, a locustfile, a Postman collection, an OpenAPI document, a curl command, or - \
             for stdin",
        )),
        [one] if one.is_empty() => Err(Error::usage("import", "the name of the input is empty")),
        [one] if is_command(one) => curl::import(COMMAND, shell::commands(COMMAND, one)?, scope),
        [one] if locust::is_locustfile(one) => locust::import(one),
        [one] if one == "-" => text(one, Bounded::new(std::io::stdin(), MAX_RECORDING), scope, environments),
        [one] => {
            let file =
                bounded::open(Path::new(one), MAX_RECORDING).map_err(|why| Error::usage(input_label(one), why))?;
            text(one, file, scope, environments)
        }
        [first, rest @ ..] if is_curl(first) => curl::import(COMMAND, Commands::of_words(rest)?, scope),
        [_, second, ..] => {
            Err(Error::usage(input_label(second), "only one input is allowed; put quotes around the curl command"))
        }
    }
}

/// The name of an input in error messages: for text with blanks, such as another program's command, its first
/// word.
fn input_label(input: &str) -> String {
    match input.split_once(char::is_whitespace) {
        Some((word, _)) => format!("{} ...", masked_url(word)),
        None => masked_url(input),
    }
}

/// A recording is a JSON object; anything else is read as commands.
fn text(name: &str, input: Bounded<impl Read>, scope: ImportOptions, environments: &[PathBuf]) -> Result<Import> {
    let refused = |why: std::io::Error| Error::usage(name, why);
    let mut input = BufReader::new(input);
    let begin = input.fill_buf().map_err(refused)?;
    let mark = begin.len() - without_bom(begin).len();
    input.consume(mark);
    let is_recording = loop {
        let begin = input.fill_buf().map_err(refused)?;
        let blanks = begin.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if blanks < begin.len() || begin.is_empty() {
            break begin.get(blanks) == Some(&b'{') && !is_shell_group(&begin[blanks + 1..]);
        }
        input.consume(blanks);
    };
    if is_recording {
        return document(name, input, scope, environments);
    }
    let text = bounded::read_source(input, MAX_COMMANDS).map_err(|why| Error::usage(name, why))?;
    let text = String::from_utf8(text).map_err(|_| Error::usage(name, "is not UTF-8 text"))?;
    if is_command(&text) {
        return curl::import(name, shell::commands(name, &text)?, scope);
    }
    let why = if openapi::is_yaml(&text) {
        openapi::YAML
    } else {
        "is neither a HAR file nor a curl command, Postman collection or OpenAPI document"
    };
    Err(Error::usage(name, why))
}

/// Whether a shell's command follows the brace of a group, as in `{ curl ...; }`: a member of an object has a quote there.
fn is_shell_group(after: &[u8]) -> bool {
    let blanks = after.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    blanks > 0 && after.get(blanks).is_some_and(u8::is_ascii_alphabetic)
}

/// A JSON object: a recording, which may be long, begins with its only member.
fn document(name: &str, mut input: impl BufRead, scope: ImportOptions, environments: &[PathBuf]) -> Result<Import> {
    let refused = |why: std::io::Error| Error::usage(name, why);
    let begin = input.fill_buf().map_err(refused)?;
    let first = begin.strip_prefix(b"{").unwrap_or(begin).trim_ascii_start();
    if first.starts_with(b"\"log\"") {
        return har::import(name, input, scope);
    }
    let text = bounded::read_source(input, MAX_DOCUMENT).map_err(|why| Error::usage(name, why))?;
    let not_json = |why| Error::usage(name, format!("not JSON: {why}"));
    let read = RawJson::parse(&text).map_err(not_json)?;
    let has_log = read.member("log").is_some();
    let document: Json = read.parse_tree(Duplicates::LastWins).map_err(not_json)?;
    if !has_log && openapi::is_known(&document) {
        return openapi::import(name, &document, scope);
    }
    if !has_log && postman::is_known(&document) {
        return postman::import(name, &document, scope, environments);
    }
    if !has_log {
        return Err(Error::usage(name, "is JSON, but neither a HAR file nor a Postman collection or OpenAPI document"));
    }
    drop(document);
    har::import(name, Cursor::new(text), scope)
}
