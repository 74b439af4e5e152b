//! Lines that something wrote anew, brought back into the form in which a stream has them.

use serde_json::{Map, Value};

/// Keys of a line, in the order of the stream; others stand between the two groups.
const OUTER: (&[&str], &[&str]) = (&["time", "level", "name", "message"], &["telemetry"]);

/// The same of its telemetry. Those of lines that `merge` passes on are all here.
const INNER: (&[&str], &[&str]) = (
    &[
        "telemetry_type",
        "telemetry_name",
        "source",
        "source_id",
        "run_id",
        "testplan",
        "kind",
        "detail",
        "value",
        "unit",
        "direction",
        "delta",
        "available_cpus",
    ],
    &["tick", "shard_time", "shard_seq", "seq"],
);

/// A line whose keys stand in another order, or which has blanks between them or other escapes, as the stream's writer
/// would have written it; `None` where it is not an object with telemetry.
#[must_use]
pub fn rewritten(text: &str) -> Option<String> {
    let line: Map<String, Value> = serde_json::from_str(text).ok()?;
    let telemetry = object(line.get("telemetry")?.as_object()?, INNER, None)?;
    object(&line, OUTER, Some(("telemetry", &telemetry)))
}

/// An object with its keys in this order, and with this text as the value of one of them.
fn object(members: &Map<String, Value>, order: (&[&str], &[&str]), ready: Option<(&str, &str)>) -> Option<String> {
    let (first, last) = order;
    let is_other = |key: &&str| !first.contains(key) && !last.contains(key);
    let others = members.keys().map(String::as_str).filter(is_other);
    let mut text = String::from("{");
    for key in first.iter().copied().chain(others).chain(last.iter().copied()) {
        let Some(value) = members.get(key) else { continue };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(key).ok()?);
        text.push(':');
        match ready.filter(|(name, _)| *name == key) {
            Some((_, ready)) => text.push_str(ready),
            None => text.push_str(&serde_json::to_string(value).ok()?),
        }
    }
    text.push('}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_written_anew_is_as_its_writer_wrote_it() {
        let line = r#"{"time":"a","level":"INFO","name":"n","message":"m","telemetry":{"telemetry_type":"metrics","value":1.0,"unit":"é/","tick":3,"seq":17}}"#;
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(rewritten(&value.to_string()).unwrap(), line, "sorted keys");
        let escaped = line.replace('é', "\\u00e9").replace('/', "\\/").replace("\":", "\" : ");
        assert_eq!(rewritten(&escaped).unwrap(), line, "blanks and escapes");
        assert_eq!(rewritten("{}"), None);
    }
}
