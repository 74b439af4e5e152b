//! Extracts records from lines as transports deliver them: behind a label, cut into labelled pieces, wrapped in another
//! JSON document, or torn.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem;

use super::wrapping::{self, Wrapped};
use crate::telemetry::line::MAX_LINE;

/// How every line of a stream begins, as its writer wrote it.
const BEGIN: &[u8] = b"{\"time\":\"";

/// The key that every line of a stream has.
const KEY: &[u8] = b"\"telemetry\"";

/// Reassembles records that arrive in pieces (`srun -l` cuts lines at 1024 bytes and labels each piece), and counts those
/// that were torn.
#[derive(Debug, Default)]
pub struct Records {
    /// The beginning of each incomplete record, by the label of its pieces.
    open: HashMap<Box<[u8]>, Vec<u8>>,
    torn: u64,
    /// Number of the line at which the first was noticed.
    first_torn: Option<u64>,
    lines: u64,
}

/// The content of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'l> {
    /// Empty, or a piece of a record whose other pieces are in other lines.
    Nothing,
    /// A record, whole or torn.
    Record(Cow<'l, [u8]>),
    /// Not a line of a stream, or the rest of a torn one.
    Other,
    /// Many lines of a stream in one, as some tools export them; the sentence says how to export them line by line.
    Batch(&'static str),
}

/// Maximum labels, which are the tasks that write to one pipe.
const MAX_LABELS: usize = 100_000;

impl Records {
    /// Takes the next line of the input, without its end; returns the record that it holds or completes.
    pub fn take<'l>(&mut self, line: &'l [u8]) -> Found<'l> {
        self.lines += 1;
        // Transports end lines as Windows does, and put blanks behind them.
        let whole = line.trim_ascii_end();
        if whole.is_empty() {
            return Found::Nothing;
        }
        if whole.starts_with(BEGIN) && !is_escaped(whole) {
            return Found::Record(Cow::Borrowed(whole));
        }
        // A piece may end with a blank of its record.
        let piece = line.strip_suffix(b"\r").unwrap_or(line);
        match labelled(piece) {
            Some((label, piece)) => self.join(label, piece),
            None => unlabelled(whole),
        }
    }

    fn join<'l>(&mut self, label: &[u8], piece: &'l [u8]) -> Found<'l> {
        if piece.starts_with(BEGIN) {
            if self.open.remove(label).is_some() {
                self.note_torn();
            }
            if is_complete(piece) {
                return Found::Record(Cow::Borrowed(piece));
            }
            if self.open.len() < MAX_LABELS {
                self.open.insert(label.into(), piece.to_vec());
            }
            return Found::Nothing;
        }
        let Some(record) = self.open.get_mut(label) else { return unlabelled(piece.trim_ascii_end()) };
        record.extend_from_slice(piece);
        if record.len() > MAX_LINE {
            self.open.remove(label);
            self.note_torn();
            return Found::Nothing;
        }
        if is_complete(record) {
            let record = self.open.remove(label).unwrap_or_default();
            return Found::Record(Cow::Owned(record));
        }
        Found::Nothing
    }

    /// Counts a record that could not be read.
    pub fn note_torn(&mut self) {
        self.torn += 1;
        self.first_torn.get_or_insert(self.lines);
    }

    /// Forgets records that are incomplete: the input is damaged, which is reported instead.
    pub fn forgive_torn(&mut self) {
        self.torn = 0;
        self.open.clear();
    }

    /// How many records were torn, and at which line the first was noticed.
    #[must_use]
    pub fn torn(&self) -> Option<(u64, u64)> {
        self.first_torn.filter(|_| self.torn > 0).map(|first| (self.torn, first))
    }
}

/// What a line without a task's number holds. `parallel --tag`, `kubectl logs --prefix` and the like put something in
/// front of each whole line, and lists of JSON something behind.
fn unlabelled(line: &[u8]) -> Found<'_> {
    let begin = memmem::find(line, BEGIN);
    if !is_escaped(line) {
        let start = begin.or_else(|| memmem::find(line, KEY).and_then(|_| object(line)));
        return start.map_or(Found::Other, |start| Found::Record(Cow::Borrowed(without_list(&line[start..]))));
    }
    match wrapping::unwrap(line) {
        Wrapped::Not => begin.map_or(Found::Other, |begin| Found::Record(Cow::Borrowed(&line[begin..]))),
        Wrapped::Batch(cure) => Found::Batch(cure),
        Wrapped::Line(text) => match unlabelled(text.trim_ascii_end().as_bytes()) {
            Found::Record(record) => Found::Record(Cow::Owned(record.into_owned())),
            Found::Batch(cure) => Found::Batch(cure),
            Found::Nothing | Found::Other => Found::Other,
        },
    }
}

/// Whether the key that every line has is there only within a text, where its quotes are escaped.
fn is_escaped(line: &[u8]) -> bool {
    memmem::find(line, KEY).is_none() && memmem::find(line, wrapping::ESCAPED_KEY).is_some()
}

/// Where the object begins that a line holds behind its label.
fn object(line: &[u8]) -> Option<usize> {
    let begins = |at: &usize| line[at + 1..].trim_ascii_start().first() == Some(&b'"');
    memchr::memchr_iter(b'{', line).take(8).find(begins)
}

/// A record without the brackets and commas of a list behind it.
fn without_list(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|byte| !matches!(byte, b']' | b',' | b')') && !byte.is_ascii_whitespace());
    if end.is_some_and(|end| record[end] == b'}') { &record[..=end.unwrap_or(0)] } else { record }
}

/// Label and piece of a line that `srun -l` wrote: the task's number, maybe after blanks, a colon and a blank.
fn labelled(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = line.iter().position(|byte| *byte != b' ')?;
    let digits = line[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (label, rest) = line[start..].split_at(digits);
    (digits > 0).then_some((label, rest.strip_prefix(b": ")?))
}

/// Whether a record that began ends here: as many objects and lists are closed as were opened.
fn is_complete(record: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in record {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0 && !in_text && record.ends_with(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records from these lines, and the number of torn ones.
    fn taken(lines: &[&str]) -> (Vec<String>, u64) {
        let mut records = Records::default();
        let mut found = Vec::new();
        for line in lines {
            if let Found::Record(record) = records.take(line.as_bytes()) {
                found.push(String::from_utf8(record.into_owned()).unwrap());
            }
        }
        (found, records.torn().map_or(0, |(torn, _)| torn))
    }

    const ONE: &str = r#"{"time":"a","telemetry":{"tls":{"x":"} \""},"seq":1}}"#;

    #[test]
    fn what_stands_around_a_record_is_skipped() {
        for line in [
            ONE.to_owned(),
            format!("host1\t{ONE}"),
            format!("[pod/x/y] {ONE}"),
            format!("3: {ONE}"),
            format!("  12: {ONE}"),
            format!("{ONE} \t\r"),
            format!("[{ONE},"),
            format!("tag: [1732608000.25, {ONE}]"),
            format!("\u{feff}{ONE}"),
        ] {
            assert_eq!(taken(&[&line]), (vec![ONE.to_owned()], 0), "{line}");
        }
        assert_eq!(taken(&["srun: job 3 queued", "", "12: ", "{}"]), (vec![], 0));
        let other = r#"{ "telemetry" : {"seq":1}, "time" : "a" }"#;
        assert_eq!(taken(&[&format!("{{pod=x}} {other}")]), (vec![other.to_owned()], 0));
    }

    #[test]
    fn pieces_with_one_label_are_joined_whatever_comes_between() {
        let label = |task: u32, text: &str| format!("{task}: {text}");
        for cut in 10..ONE.len() {
            let (head, tail) = ONE.split_at(cut);
            let lines = [label(0, head), label(11, head), label(11, tail), label(2, ONE), label(0, tail)];
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(taken(&lines), (vec![ONE.to_owned(); 3], 0), "cut at {cut}");
        }
    }

    #[test]
    fn a_piece_whose_rest_is_missing_is_torn() {
        let (head, _) = ONE.split_at(30);
        assert_eq!(taken(&[&format!("0: {head}"), &format!("0: {ONE}")]), (vec![ONE.to_owned()], 1));
        let endless = format!("0: {}", "x".repeat(4096));
        assert_eq!(taken(&[&format!("0: {head}"), &endless]), (vec![], 1));
    }

    #[test]
    fn a_record_within_a_text_is_unwrapped_however_deep_it_is() {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let docker = format!(r#"{{"log":{},"stream":"stdout","time":"b"}}"#, quoted(&format!("{ONE}\n")));
        let journal = format!(r#"{{"MESSAGE":{},"_PID":"1"}}"#, quoted(&docker));
        let behind_time = format!(r#"{{"time":"b","log":{},"more":{{}}}}"#, quoted(ONE));
        for line in [&docker, &journal, &behind_time, &format!("app.0: [[1.5, {{}}], {docker}]")] {
            assert_eq!(taken(&[line]), (vec![ONE.to_owned()], 0), "{line}");
        }
        let both = format!("[{},{}]", quoted(ONE), quoted(ONE));
        assert!(matches!(Records::default().take(both.as_bytes()), Found::Batch(_)));
    }
}
