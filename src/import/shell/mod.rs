//! Finds the curl commands in what was copied from a shell, a script or a page of documentation.
//!
//! Not shlex or shell-words: browsers copy bodies as `$'...'` with escapes, and for cmd of Windows with carets, and neither
//! crate knows these, or variables.

mod quotes;
mod split;

use super::marks;
use crate::error::{Error, Result};
use crate::secret::masked_url;
use quotes::Dialect;
pub(super) use split::Stdin;
use split::{Connection, SimpleCommand, Splitter, assignment};

/// The curl commands of a text.
#[derive(Debug, Default)]
pub(super) struct Commands {
    pub(super) curl: Vec<CurlWords>,
    /// What is left out of the text, and loses something.
    pub(super) lost: Vec<String>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
    /// The first command that is not curl.
    other: Option<String>,
}

/// A curl command.
#[derive(Debug)]
pub(super) struct CurlWords {
    /// Its words without the first one.
    pub(super) words: Vec<String>,
    pub(super) stdin: Option<Stdin>,
}

/// Finds the curl commands in a text.
///
/// # Errors
/// An unclosed quote, an expansion of the shell, or no curl command.
pub(super) fn commands(what: &str, text: &str) -> Result<Commands> {
    let found = find(text).map_err(|why| Error::usage(what, why))?;
    match (found.curl.is_empty(), &found.other) {
        (false, _) => Ok(found),
        (true, Some(other)) => Err(Error::usage(format!("command {other:?}"), "only curl is understood")),
        (true, None) => Err(Error::usage(what, "contains no curl command")),
    }
}

/// Returns whether a text is meant as curl commands, and not as the name of a file.
pub(super) fn is_command(text: &str) -> bool {
    match find(text) {
        Ok(found) => !found.curl.is_empty(),
        Err(_) => text.split(|c: char| c.is_whitespace() || ";|&(".contains(c)).any(is_curl),
    }
}

fn find(text: &str) -> std::result::Result<Commands, String> {
    if marks::has_any(text) {
        return Err(NO_TEXT.to_owned());
    }
    let for_cmd = is_for_cmd(text).then(|| without_carets(text));
    let (text, dialect) = for_cmd.as_deref().map_or((text, Dialect::Posix), |text| (text, Dialect::Cmd));
    let mut splitter = Splitter::new(text, dialect);
    let mut found = Commands::default();
    while let Some(command) = splitter.command()? {
        let assigned = found.add(command)?;
        splitter.known.extend(assigned);
    }
    for command in &found.curl {
        for name in command.words.iter().flat_map(|word| marks::pieces(word)).filter_map(variable) {
            found.notes.push(format!("${name}: taken from the environment when it runs (${{env.{name}}})"));
        }
    }
    found.notes.sort();
    found.notes.dedup();
    Ok(found)
}

fn variable(piece: marks::Piece<'_>) -> Option<&str> {
    if let marks::Piece::Variable(name) = piece { Some(name) } else { None }
}

/// Why characters that are used as marks are refused.
const NO_TEXT: &str = "has a character that stands for no text (U+FDD0 to U+FDD3)";

/// Words of a shell's grammar, whose commands are not done one after another.
const GRAMMAR: [&str; 12] =
    ["for", "while", "until", "if", "case", "select", "function", "do", "then", "else", "(", "{"];

/// Commands that change nothing about a request.
const HARMLESS: [&str; 7] = ["set", "true", ":", "wait", "exit", "clear", "unset"];

/// Variables of the environment that curl reads.
const READ_BY_CURL: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "curl_home",
    "ssl_cert_file",
    "ssl_cert_dir",
    "curl_ca_bundle",
];

impl Commands {
    /// A command that a shell has split already.
    ///
    /// # Errors
    /// A word has a character that no text has.
    pub(super) fn of_words(words: &[String]) -> Result<Self> {
        if words.iter().any(|word| marks::has_any(word)) {
            return Err(Error::usage("curl command", NO_TEXT));
        }
        Ok(Self { curl: vec![CurlWords { words: words.to_vec(), stdin: None }], ..Self::default() })
    }

    /// Adds a command; returns variables that it sets for the commands after it.
    fn add(&mut self, command: SimpleCommand) -> std::result::Result<Vec<(String, String)>, String> {
        let SimpleCommand { words, stdin, after, is_cut } = command;
        let mut words = words.into_iter().peekable();
        let mut assigned = Vec::new();
        let name = loop {
            let Some(word) = words.next() else { return Ok(assigned) };
            match &*word {
                "sudo" => {
                    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
                        if matches!(&*option, "-u" | "-g") {
                            words.next();
                        }
                    }
                }
                // A prompt of a shell that was copied, too.
                "%" | "$" | "env" | "time" | "command" | "exec" | "nohup" | "export" => {}
                _ => match assignment(&word) {
                    Some((name, value)) => assigned.push((name.to_owned(), value.to_owned())),
                    None => break word,
                },
            }
        };
        if GRAMMAR.contains(&&*name) {
            return Err(format!(
                "{name:?} is a construct of the shell; write the curl commands one after another, without it"
            ));
        }
        if is_curl(&name) {
            let read = assigned.iter().filter(|(name, _)| READ_BY_CURL.contains(&&*name.to_ascii_lowercase()));
            self.lost.extend(read.map(|(name, _)| format!("{name}=... before curl: left out")));
            if after == Connection::Else {
                self.lost.push("|| between commands: both are taken over, whether the first fails or not".to_owned());
            }
            if is_cut {
                self.lost.push("& ends the command, as in a shell; put the URL in quotes if it goes on".to_owned());
            }
            self.curl.push(CurlWords { words: words.collect(), stdin });
            return Ok(Vec::new());
        }
        let shown = masked_url(&marks::shown(&name));
        if after == Connection::Pipe && !self.curl.is_empty() {
            self.notes.push(format!("| {shown}: left out, it is about the response"));
        } else if !HARMLESS.contains(&&*name) {
            self.lost.push(format!("{shown}: left out, only curl is understood"));
            self.other.get_or_insert(shown);
        }
        Ok(Vec::new())
    }
}

/// Whether a word is the name of curl.
pub(super) fn is_curl(word: &str) -> bool {
    matches!(word.rsplit(['/', '\\']).next(), Some("curl" | "curl.exe"))
}

/// Chromium's "Copy as cURL (cmd)" continues lines and escapes characters with a caret.
fn is_for_cmd(text: &str) -> bool {
    text.contains("^\"") || text.lines().any(|line| line.trim_end().ends_with(" ^"))
}

/// Handles carets like cmd: the next character is literal, and a line continues.
fn without_carets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().filter(|c| *c != '\r').peekable();
    while let Some(c) = rest.next() {
        match c {
            // A caret before a line break joins the lines; a second line break is then an ordinary character.
            '^' if rest.next_if_eq(&'\n').is_some() => {
                if rest.next_if_eq(&'\n').is_some() {
                    plain.push('\n');
                }
            }
            '^' => plain.extend(rest.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
