//! Records out of lines as transports deliver them: with labels in front, in labelled pieces, or torn.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::telemetry::line::MOST_LINE;

/// How every line of a stream begins.
const BEGIN: &[u8] = b"{\"time\":\"";

/// Records that come in pieces (`srun -l` cuts lines at 1024 bytes and labels each piece), and what was torn.
#[derive(Default)]
pub(super) struct Pieces {
    /// The begin of a record, by the label in front of its pieces.
    open: HashMap<Box<[u8]>, Vec<u8>>,
    torn: u64,
    /// Number of the line at which the first was noticed.
    first_torn: Option<u64>,
    lines: u64,
}

/// Labels that are kept apart: tasks of one pipe.
const MOST_LABELS: usize = 100_000;

impl Pieces {
    /// The record that a line of the input, without its end, is or completes.
    pub(super) fn take<'l>(&mut self, line: &'l [u8]) -> Option<Cow<'l, [u8]>> {
        self.lines += 1;
        if line.starts_with(BEGIN) {
            // Nothing is in front, so this is a record or a torn one, which shows when it is read.
            return Some(Cow::Borrowed(line));
        }
        if let Some((label, piece)) = labelled(line) {
            return self.join(label, piece);
        }
        // `parallel --tag`, `kubectl logs --prefix` and the like put something in front of each whole line; a text
        // without a record is none of ours, or the rest of a torn one, whose begin is counted.
        let at = find(line, BEGIN)?;
        Some(Cow::Borrowed(&line[at..]))
    }

    fn join<'l>(&mut self, label: &[u8], piece: &'l [u8]) -> Option<Cow<'l, [u8]>> {
        if piece.starts_with(BEGIN) {
            if self.open.remove(label).is_some() {
                self.note_torn();
            }
            if is_complete(piece) {
                return Some(Cow::Borrowed(piece));
            }
            if self.open.len() < MOST_LABELS {
                self.open.insert(label.into(), piece.to_vec());
            }
            return None;
        }
        let record = self.open.get_mut(label)?;
        record.extend_from_slice(piece);
        if record.len() > MOST_LINE {
            self.open.remove(label);
            self.note_torn();
            return None;
        }
        if is_complete(record) { self.open.remove(label).map(Cow::Owned) } else { None }
    }

    /// Counts a record that could not be read.
    pub(super) fn note_torn(&mut self) {
        self.torn += 1;
        self.first_torn.get_or_insert(self.lines);
    }

    /// Forgets what did not come whole: the input is damaged, which says all of it.
    pub(super) fn forgive_torn(&mut self) {
        self.torn = 0;
        self.open.clear();
    }

    /// Records that did not come whole, and at which line the first was noticed.
    pub(super) fn torn(&self) -> Option<(u64, u64)> {
        self.first_torn.filter(|_| self.torn > 0).map(|first| (self.torn, first))
    }
}

/// Label and piece of a line that `srun -l` wrote: the task's number, maybe after blanks, a colon and a blank.
fn labelled(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = line.iter().position(|byte| *byte != b' ')?;
    let digits = line[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (label, rest) = line[start..].split_at(digits);
    (digits > 0).then_some((label, rest.strip_prefix(b": ")?))
}

/// Whether a record that began ends here: every one has its number last, and nothing within one looks like that.
fn is_complete(record: &[u8]) -> bool {
    let Some(rest) = record.strip_suffix(b"}}") else { return false };
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest[..rest.len() - digits].ends_with(b",\"seq\":")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records from these lines, and the number of torn ones.
    fn taken(lines: &[&str]) -> (Vec<String>, u64) {
        let mut pieces = Pieces::default();
        let text = |record: Cow<'_, [u8]>| String::from_utf8(record.into_owned()).unwrap();
        let records = lines.iter().filter_map(|line| pieces.take(line.as_bytes()).map(text)).collect();
        (records, pieces.torn().map_or(0, |(torn, _)| torn))
    }

    const ONE: &str = r#"{"time":"a","telemetry":{"tls":{"x":1}},"seq":1}}"#;

    #[test]
    fn a_prefix_is_skipped() {
        for line in [
            ONE.to_owned(),
            format!("host1\t{ONE}"),
            format!("[pod/x/y] {ONE}"),
            format!("3: {ONE}"),
            format!("  12: {ONE}"),
        ] {
            assert_eq!(taken(&[&line]), (vec![ONE.to_owned()], 0), "{line}");
        }
        assert_eq!(taken(&["srun: job 3 queued", "", "12: ", "{}"]), (vec![], 0));
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
}
