//! Lines of a stream that a log pipeline wrapped in a text of its own JSON: Docker, journald, Fluent Bit, `CloudWatch`, Loki.

use memchr::memmem;

/// The key that every line of a stream has, within a text of JSON.
pub(super) const ESCAPED_KEY: &[u8] = b"\\\"telemetry\\";

/// What a line holds in its texts.
pub(super) enum Wrapped {
    /// No line of a stream, or what is left of one.
    Not,
    /// One line.
    Line(String),
    /// Several, and how to get them line by line.
    Batch(&'static str),
}

/// How a line that holds many is known, and how to get them line by line; the first that fits.
const BATCHES: [(&[u8], &str); 3] = [
    (b"\"values\"", "this is a Loki query answer; export it with logcli query -o raw"),
    (
        b"\"events\"",
        "this is an answer of CloudWatch Logs; export it with aws logs tail --format short, or with \
         --query 'events[].[message]' --output text",
    ),
    (b"\"hits\"", "this is a search answer with many lines in one; export one line per hit"),
];

/// The same of any other.
const BATCH: &str =
    "this holds many lines of a stream in one; give each a line of its own, as Fluent Bit does with format json_lines";

/// What a line holds, whose own key is not that of a stream.
pub(super) fn unwrap(line: &[u8]) -> Wrapped {
    let Some(key) = memmem::find(line, ESCAPED_KEY) else { return Wrapped::Not };
    let Some(start) = opening(line, key) else { return Wrapped::Not };
    let mut texts = serde_json::Deserializer::from_slice(&line[start..]).into_iter::<String>();
    let text = texts.next();
    let is_followed = |end: usize| memmem::find(&line[end..], ESCAPED_KEY).is_some();
    match text {
        Some(Ok(text)) if is_followed(start + texts.byte_offset()) || text.trim_ascii().contains('\n') => batch(line),
        Some(Ok(text)) => Wrapped::Line(text),
        _ if is_followed(key + 1) => batch(line),
        _ => Wrapped::Not,
    }
}

fn batch(line: &[u8]) -> Wrapped {
    let known = BATCHES.iter().find(|(mark, _)| memmem::find(line, mark).is_some());
    Wrapped::Batch(known.map_or(BATCH, |(_, cure)| cure))
}

/// Where the text begins that holds what is at `place`: at the last quote before it that is not escaped.
fn opening(line: &[u8], place: usize) -> Option<usize> {
    memchr::memrchr_iter(b'"', &line[..place]).find(|quote| {
        let backslashes = line[..*quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes % 2 == 0
    })
}
