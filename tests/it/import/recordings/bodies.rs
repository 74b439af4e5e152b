//! Bodies of recorded requests: sent as recorded, or what is missing is said.

use serde_json::{Value, json};

use super::{entry, fields, imported, steps};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=x";

/// The step that a POST becomes, less its method, and stderr.
fn posted(content_type: &str, length: Option<usize>, post: &Value) -> (Value, String) {
    let mut headers = vec![("Content-Type", content_type)];
    let length = length.map(|length| length.to_string());
    headers.extend(length.as_deref().map(|length| ("Content-Length", length)));
    let more = json!({"request": {"headers": fields(&headers), "postData": post, "bodySize": 3}});
    let (code, scenario, stderr) = imported("bodies", &[entry("POST", "http://h.test/a", more)], &[]);
    assert_eq!(
        code == 1,
        stderr.contains("body") || stderr.contains("left out") || stderr.contains("file"),
        "{stderr}"
    );
    let mut step = steps(&scenario)[0].clone();
    assert_eq!(step.as_object_mut().unwrap().remove("post"), Some(json!("/a")));
    (step, stderr)
}

#[test]
fn a_body_keeps_its_type_its_order_and_its_digits() {
    let typed = |kind: &str, body: &str| json!({"headers": {"Content-Type": kind}, "body": body});
    for (kind, text, expected) in [
        ("application/json", r#"{"b":1,"a":"${x}"}"#, json!({"json": {"b": 1, "a": "$${x}"}})),
        (
            "application/json;charset=UTF-8",
            r#"{"a":"ü"}"#,
            json!({"headers": {"Content-Type": "application/json;charset=UTF-8"}, "json": {"a": "ü"}}),
        ),
        ("application/json", r#"{"a":1,"a":2}"#, typed("application/json", r#"{"a":1,"a":2}"#)),
        ("application/json", "{broken", typed("application/json", "{broken")),
        (FORM, "a=1+2&b=%26", json!({"form": {"a": "1 2", "b": "&"}})),
        (FORM, "t=1&t=2&u=3", json!({"form": {"t": ["1", "2"], "u": "3"}})),
        (FORM, "t=1&u=3&t=2", typed(FORM, "t=1&u=3&t=2")),
        (FORM, "alone", typed(FORM, "alone")),
        ("text/plain", "${x}", typed("text/plain", "$${x}")),
    ] {
        let (step, stderr) = posted(kind, Some(text.len()), &json!({"mimeType": kind, "text": text}));
        assert_eq!((step, &*stderr), (expected, ""), "{kind} {text}");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/import/chromium.har");
    let printed = crate::support::Run::new(["import", file]).finish_any().exits(1);
    let text = printed.text().split_whitespace().collect::<String>();
    assert!(text.contains(r#""json":{"z":1.10,"a":"café$${x}","item":"${number(id)}"}"#), "{text}");
}

#[test]
fn the_fields_of_a_form_are_sent_in_the_type_that_was_recorded() {
    let params = json!([{"name": "a", "value": "1"}, {"name": "b"}]);
    for (kind, expected) in [
        (FORM, json!({"form": {"a": "1", "b": ""}})),
        (MULTIPART, json!({"multipart": [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]})),
        ("text/plain", json!({"headers": {"Content-Type": "text/plain"}, "body": "a=1\r\nb=\r\n"})),
    ] {
        let (step, stderr) = posted(kind, None, &json!({"mimeType": kind, "params": params}));
        assert_eq!((step, &*stderr), (expected, ""), "{kind}");
    }
    let file =
        json!({"mimeType": MULTIPART, "params": [{"name": "f", "fileName": "${x}.jpg", "contentType": "image/jpeg"}]});
    let (step, stderr) = posted(MULTIPART, Some(5000), &file);
    let part = json!({"name": "f", "value": "", "filename": "$${x}.jpg", "content_type": "image/jpeg"});
    assert_eq!(step, json!({"multipart": [part]}));
    assert!(stderr.contains("POST /a: the content of the file \"${x}.jpg\" in the field \"f\" is not in"), "{stderr}");
    let (step, stderr) =
        posted(MULTIPART, None, &json!({"params": [{"name": "", "value": "1"}, {"name": "a", "value": "2"}]}));
    assert_eq!(step, json!({"multipart": [{"name": "a", "value": "2"}]}));
    assert!(stderr.contains("a field without a name: left out"), "{stderr}");
}

#[test]
fn the_text_of_a_multipart_body_becomes_its_parts() {
    let text = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n${1}\r\n\
                --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"b.txt\"\r\nContent-Type: text/plain\r\n\r\n\
                hello\r\n--x--\r\n";
    let part =
        |content: &str| json!({"name": "f", "value": content, "filename": "b.txt", "content_type": "text/plain"});
    let first = json!({"name": "a", "value": "$${1}"});
    let (step, stderr) = posted(MULTIPART, Some(text.len()), &json!({"mimeType": MULTIPART, "text": text}));
    assert_eq!((step, &*stderr), (json!({"multipart": [first, part("hello")]}), ""));
    let (step, stderr) = posted(MULTIPART, Some(9999), &json!({"mimeType": MULTIPART, "text": text}));
    assert_eq!(step, json!({"multipart": [first, part("")]}), "the browser has not recorded all of the file");
    assert!(stderr.contains("\"b.txt\""), "{stderr}");
    let mixed = json!({"mimeType": "multipart/mixed; boundary=x", "text": "--x\r\n\r\n1\r\n--x--"});
    let (step, _) = posted("multipart/mixed; boundary=x", None, &mixed);
    assert_eq!(step["body"], "--x\r\n\r\n1\r\n--x--", "as recorded, with its boundary");
    assert_eq!(step["headers"]["Content-Type"], "multipart/mixed; boundary=x");
}

#[test]
fn a_body_that_the_recorder_encoded_or_lost_is_decoded_or_said() {
    let text = |text: &str| json!({"mimeType": "text/plain", "text": text});
    let sent = |body: &str| json!({"headers": {"Content-Type": "text/plain"}, "body": body});
    for (post, length, expected, said) in [
        (json!({"mimeType": "text/plain", "text": "Y2Fmw6k=", "encoding": "base64"}), None, sent("café"), ""),
        (text("caf\u{c3}\u{a9}"), Some(5), sent("café"), ""),
        (text("ab\u{fffd}"), None, sent("ab\u{fffd}"), "not all of its body is in the recording; the rest is not sent"),
        (text("abc"), Some(500), sent("abc"), "not all of its body is in the recording (3 of 500 bytes)"),
        (json!({"text": "/w==", "encoding": "base64"}), None, json!({}), "sent without its body, which is not text"),
        (json!({"text": ""}), Some(500), json!({}), "sent without its body, which is not in the recording"),
        (Value::Null, None, json!({}), "sent without its body, which is not in the recording"),
    ] {
        let (step, stderr) = posted("text/plain", length, &post);
        assert_eq!(step, expected, "{post}");
        assert!(stderr.contains(said) && stderr.is_empty() == said.is_empty(), "{post}: {stderr}");
    }
}
