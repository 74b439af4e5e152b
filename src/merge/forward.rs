//! Lines of workers that the master passes on: what is changed in them, and which can be.

use crate::telemetry::line::MAX_LINE;

/// A line of a worker that goes into the master's stream as it is, but for time and number.
pub(super) type ForwardedLine = Box<[u8]>;

/// The time of a line, as it is written there.
pub(super) fn time_of(raw: &[u8]) -> Option<&str> {
    let rest = raw.strip_prefix(b"{\"time\":\"")?;
    std::str::from_utf8(&rest[..rest.iter().position(|byte| *byte == b'"')?]).ok()
}

/// Whether a worker's line can be passed on: it begins and ends as ours do, and leaves room for what is added.
pub(super) fn can_pass(raw: &[u8]) -> bool {
    /// A time and two numbers with their keys.
    const ADDED: usize = 120;
    // A number that no float holds is one with an exponent, or with hundreds of digits.
    let has_exponent = raw.windows(2).any(|pair| pair[0].is_ascii_digit() && matches!(pair[1], b'e' | b'E'));
    let is_plain = !has_exponent && !raw.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() >= 300);
    let is_readable = || is_plain || serde_json::from_slice::<serde_json::Value>(raw).is_ok();
    raw.len() + ADDED <= MAX_LINE
        && depth(raw) <= DEEPEST
        && is_readable()
        && pass(raw, "", 0, &mut Vec::with_capacity(MAX_LINE))
}

/// Objects and lists within each other, more than any line of ours has: readers give up at some depth.
const DEEPEST: usize = 16;

/// How many objects and lists stand within each other at most.
fn depth(raw: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in raw {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Puts a worker's line into `line` with the master's time and number, its own beside them; returns whether it was such a
/// line.
pub(super) fn pass(raw: &[u8], time: &str, seq: u64, line: &mut Vec<u8>) -> bool {
    const SEQ: &[u8] = b",\"seq\":";
    let Some(own) = time_of(raw) else { return false };
    let Some(number) = raw.windows(SEQ.len()).rposition(|window| window == SEQ) else { return false };
    let rest = &raw[b"{\"time\":\"".len() + own.len()..number];
    let Some(digits) = raw[number + SEQ.len()..].strip_suffix(b"}}") else { return false };
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    line.clear();
    line.extend_from_slice(b"{\"time\":\"");
    line.extend_from_slice(time.as_bytes());
    line.extend_from_slice(rest);
    line.extend_from_slice(format!(",\"shard_time\":\"{own}\",\"shard_seq\":").as_bytes());
    line.extend_from_slice(digits);
    line.extend_from_slice(format!(",\"seq\":{seq}}}}}\n").as_bytes());
    line.len() <= MAX_LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_line_keeps_its_content_and_its_own_time_and_number() {
        let raw = br#"{"time":"2026-11-22T21:00:23.271Z","level":"INFO","telemetry":{"value":1.0,"tick":3,"seq":17}}"#;
        let mut line = Vec::new();
        assert!(pass(raw, "2026-11-22T21:00:24.000Z", 5, &mut line));
        let expected = r#"{"time":"2026-11-22T21:00:24.000Z","level":"INFO","telemetry":{"value":1.0,"tick":3,"#
            .to_owned()
            + r#""shard_time":"2026-11-22T21:00:23.271Z","shard_seq":17,"seq":5}}"#
            + "\n";
        assert_eq!(std::str::from_utf8(&line).unwrap(), expected);
        assert!(!pass(b"{}", "", 1, &mut line));
    }
}
