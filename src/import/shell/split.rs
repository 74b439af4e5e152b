//! Splits a text into simple commands of words, like the shell that it was copied for.

use super::super::marks;
use super::quotes::{
    CharStream, Dialect, Refusal, Variables, ansi_c_quoted, double_quoted, expansion, here_document, single_quoted,
    substitution,
};

/// A command with its words; quotes, expansions and redirections are done.
#[derive(Debug, Default)]
pub(super) struct SimpleCommand {
    pub(super) words: Vec<String>,
    pub(super) stdin: Option<Stdin>,
    /// How it is connected to the command before.
    pub(super) after: Connection,
    /// It was ended by a `&` without a blank before or behind it, as in a URL without quotes.
    pub(super) is_cut: bool,
}

/// What a command reads on standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) enum Stdin {
    Text(String),
    File(String),
    /// The output of another command.
    Pipe,
}

/// How a command is connected to the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Connection {
    #[default]
    Next,
    Pipe,
    /// It is done only if the one before failed.
    Else,
}

/// What the next word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Word,
    /// A file for output, or a descriptor.
    Output,
    /// A file for standard input.
    Input,
    /// The end of a here-document, whose lines may be indented by tabs.
    HereDocument {
        strips_tabs: bool,
    },
    HereString,
}

/// A here-document whose text follows on the next line.
struct Pending {
    end: String,
    is_literal: bool,
    strips_tabs: bool,
}

/// Splits commands off a text, one after another.
pub(super) struct Splitter<'t> {
    rest: CharStream<'t>,
    dialect: Dialect,
    /// Variables that commands before have set.
    pub(super) known: Variables,
    command: SimpleCommand,
    word: Option<String>,
    /// Whether a part of the word was quoted.
    is_quoted: bool,
    expected: Expected,
    pending: Vec<Pending>,
    next_connection: Connection,
}

impl<'t> Splitter<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Self {
        Self {
            rest: text.chars().peekable(),
            dialect,
            known: Variables::default(),
            command: SimpleCommand::default(),
            word: None,
            is_quoted: false,
            expected: Expected::Word,
            pending: Vec::new(),
            next_connection: Connection::Next,
        }
    }

    /// The next command, which may have no words.
    pub(super) fn command(&mut self) -> Result<Option<SimpleCommand>, Refusal> {
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        self.command = SimpleCommand { after: self.next_connection, ..SimpleCommand::default() };
        self.next_connection = Connection::Next;
        if self.command.after == Connection::Pipe {
            self.command.stdin = Some(Stdin::Pipe);
        }
        while let Some(c) = self.rest.next() {
            let is_quote = match self.dialect {
                Dialect::Posix => self.quoted(c)?,
                Dialect::Cmd if c == '"' => {
                    self.is_quoted = true;
                    double_quoted(&mut self.rest, self.dialect, &self.known, self.word.get_or_insert_default())?;
                    true
                }
                Dialect::Cmd => false,
            };
            if !is_quote && self.plain(c)? {
                return Ok(Some(std::mem::take(&mut self.command)));
            }
        }
        self.end_word();
        Ok(Some(std::mem::take(&mut self.command)))
    }

    /// Reads what quotes or expands in a POSIX shell.
    fn quoted(&mut self, c: char) -> Result<bool, Refusal> {
        match c {
            '\\' => match self.rest.next() {
                Some('\n') => {}
                Some('\r') if self.rest.next_if_eq(&'\n').is_some() => {}
                Some(other) => {
                    self.is_quoted = true;
                    self.word.get_or_insert_default().push(other);
                }
                None => return Err("ends in the middle of an escape".to_owned()),
            },
            '\'' => {
                self.is_quoted = true;
                single_quoted(&mut self.rest, self.word.get_or_insert_default())?;
            }
            '"' => {
                self.is_quoted = true;
                double_quoted(&mut self.rest, self.dialect, &self.known, self.word.get_or_insert_default())?;
            }
            '$' if self.rest.next_if_eq(&'\'').is_some() => {
                self.is_quoted = true;
                ansi_c_quoted(&mut self.rest, self.word.get_or_insert_default())?;
            }
            // The prompt of a shell, copied with the command.
            '$' if self.word.is_none() && self.command.words.is_empty() && self.rest.next_if_eq(&' ').is_some() => {}
            '$' if self.rest.peek() == Some(&'"') => {}
            '$' => self.unquoted_expansion()?,
            '`' => return Err(substitution("`", &mut self.rest, '`')),
            '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
            // The user's home folder, also as a word of its own.
            '~' if self.word.is_none() && self.rest.peek().is_none_or(|next| "/ \t\n;&|)".contains(*next)) => {
                marks::push_variable(self.word.get_or_insert_default(), "HOME");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads an expansion outside quotes: its value is split at blanks, but not in an assignment or a redirection (POSIX,
    /// "Field Splitting"). A variable of the environment has a value only when the scenario runs, and stays whole.
    fn unquoted_expansion(&mut self) -> Result<(), Refusal> {
        let is_split = self.expected == Expected::Word && !self.is_assignment();
        let has_word = self.word.is_some();
        let word = self.word.get_or_insert_default();
        let begin = word.len();
        expansion(&mut self.rest, &self.known, word)?;
        if !is_split {
            return Ok(());
        }
        let value = word.split_off(begin);
        if !has_word {
            self.word = None;
        }
        for (at, field) in value.split([' ', '\t', '\n']).enumerate() {
            if at > 0 {
                self.end_word();
            }
            if !field.is_empty() {
                self.word.get_or_insert_default().push_str(field);
            }
        }
        Ok(())
    }

    /// Returns whether the word that is read is an assignment before a command.
    fn is_assignment(&self) -> bool {
        let is_assigned = |word: &String| assignment(word).is_some() || word == "export";
        self.word.as_ref().is_some_and(is_assigned) && self.command.words.iter().all(is_assigned)
    }

    /// Reads any other character; returns whether the command ends.
    fn plain(&mut self, c: char) -> Result<bool, Refusal> {
        match c {
            '&' if self.rest.peek() == Some(&'>') => {
                self.end_word();
                self.expected = Expected::Output;
            }
            '>' => self.output()?,
            '<' => self.input()?,
            '\n' => {
                self.end_word();
                self.read_here_documents()?;
                return Ok(true);
            }
            ';' | '&' | '|' => {
                let was_in_word = self.word.is_some();
                self.end_word();
                let is_double = self.rest.next_if_eq(&c).is_some();
                let follows_word = self.rest.peek().is_some_and(|c| !c.is_whitespace());
                self.command.is_cut = c == '&' && !is_double && was_in_word && follows_word;
                self.next_connection = match (c, is_double) {
                    ('|', false) => Connection::Pipe,
                    ('|', true) => Connection::Else,
                    _ => Connection::Next,
                };
                return Ok(true);
            }
            c if c.is_whitespace() => self.end_word(),
            c => self.word.get_or_insert_default().push(c),
        }
        Ok(false)
    }

    /// Ends a word before a redirection; a number directly before it is a descriptor.
    fn end_before_redirection(&mut self) {
        let is_descriptor = |word: &String| !self.is_quoted && word.bytes().all(|byte| byte.is_ascii_digit());
        if self.word.as_ref().is_some_and(is_descriptor) {
            self.word = None;
        }
        self.end_word();
    }

    fn output(&mut self) -> Result<(), Refusal> {
        self.end_before_redirection();
        let _ = self.rest.next_if(|c| matches!(c, '>' | '|' | '&'));
        self.refuse_process()?;
        self.expected = Expected::Output;
        Ok(())
    }

    fn input(&mut self) -> Result<(), Refusal> {
        self.end_before_redirection();
        self.expected = if self.rest.next_if_eq(&'<').is_none() {
            let is_descriptor = self.rest.next_if_eq(&'&').is_some();
            if is_descriptor { Expected::Output } else { Expected::Input }
        } else if self.rest.next_if_eq(&'<').is_some() {
            Expected::HereString
        } else {
            Expected::HereDocument { strips_tabs: self.rest.next_if_eq(&'-').is_some() }
        };
        self.refuse_process()
    }

    fn refuse_process(&mut self) -> Result<(), Refusal> {
        if self.rest.peek() == Some(&'(') { Err(substitution("<", &mut self.rest, ')')) } else { Ok(()) }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match std::mem::replace(&mut self.expected, Expected::Word) {
            Expected::Word => self.command.words.push(word),
            Expected::Output => {}
            Expected::Input => self.command.stdin = Some(Stdin::File(word)),
            Expected::HereString => self.command.stdin = Some(Stdin::Text(word + "\n")),
            Expected::HereDocument { strips_tabs } => {
                self.pending.push(Pending { end: word, is_literal: self.is_quoted, strips_tabs });
            }
        }
        self.is_quoted = false;
    }

    fn read_here_documents(&mut self) -> Result<(), Refusal> {
        for Pending { end, is_literal, strips_tabs } in std::mem::take(&mut self.pending) {
            let mut text = String::new();
            loop {
                let mut line: String = std::iter::from_fn(|| self.rest.next_if(|c| *c != '\n')).collect();
                let is_last = self.rest.next().is_none();
                if strips_tabs {
                    line = line.trim_start_matches('\t').to_owned();
                }
                if line == end {
                    break;
                }
                if is_last {
                    return Err(format!("has a here-document without its end {end:?}"));
                }
                text.push_str(&line);
                text.push('\n');
            }
            let text = if is_literal { text } else { here_document(&text, &self.known)? };
            self.command.stdin = Some(Stdin::Text(text));
        }
        Ok(())
    }
}

/// `NAME=VALUE`.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, value))
}
