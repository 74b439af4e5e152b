//! Fields of a scenario and of its data.

use serde_json::{Value, json};

use super::{MARKER, Places, assert_not_revealed};
use crate::support::{Run, Scratch};

/// A scenario with every key.
fn whole_scenario() -> Value {
    let text = r#"{
        "name": "n", "host": "http://127.0.0.1:9", "users": 5, "spawn_rate": 6, "run_time": "7s", "requests": 8,
        "seed": 9, "wait": "1s", "stop_timeout": "2s", "headers": {"Accept": "a"}, "timeout": "3s",
        "expect": {"status": [200], "header": {"X": {"contains": "x"}}, "body_contains": ["a"],
                   "body_not_contains": "b", "json": {"/a": {"equals": 1}}, "within": "1s", "size": {"min": 1}},
        "connect_timeout": "4s", "redirects": 5, "insecure": true, "no_keepalive": true, "interval": "6s",
        "variables": {"v": 1, "e": {"env": "NOT_SET_HERE", "default": "x"}},
        "data": {"d": {"csv": "d.csv", "pick": "unique", "on_end": "stop"}},
        "checks": ["p95 < 1s"],
        "user_classes": [{"name": "c", "weight": 1, "wait": "1s", "tags": ["t"],
            "on_start": [{"post": "/login", "form": {"a": "b"}, "extract": {"x": {"json": "/x"}, "y": {"header": "Y"},
                          "z": {"cookie": "z"}, "w": {"between": ["l", "r"]}}}],
            "tasks": [{"name": "t", "weight": 1, "tags": ["u"], "requests": [
                {"request": "/a", "method": "PUT", "name": "A", "headers": {"B": "c"}, "body": "text", "timeout": 1,
                 "redirects": 1, "expect": {"status": 200}},
                {"post": "/b", "body_file": "b.bin"},
                {"post": "/m", "multipart": [{"name": "p", "value": "x", "filename": "f", "content_type": "text/x"},
                    {"name": "q", "file": "b.bin"}, {"name": "r", "json": {"k": "v"}}]}, {"patch": "/c", "json": {"k": ["v"]}}]}],
            "on_stop": [{"get": "/bye"}]}]
    }"#;
    serde_json::from_str(text).unwrap()
}

/// The pointers of all values that are neither lists nor objects.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(item, &format!("{pointer}/{at}"), found));
        }
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| leaves(member, &format!("{pointer}/{}", name.replace('/', "~1")), found));
        }
        _ => found.push(pointer.to_owned()),
    }
}

#[test]
fn no_refused_field_of_a_scenario_reveals_a_secret() {
    let places = Places::default();
    let scratch = Scratch::new("secret-fields");
    scratch.write("d.csv", "a,b\n1,2\n");
    scratch.write("b.bin", "x");
    let whole = whole_scenario();
    let file = scratch.write("whole.json", whole.to_string());
    let accepted = Run::new(["run", "--dry-run", "-f", &file]).finish().exits(0);
    assert!(accepted.text().contains("users of class c"));
    let mut fields = Vec::new();
    leaves(&whole, "", &mut fields);
    for (number, field) in fields.iter().enumerate() {
        // An unclosed template, where templates are allowed.
        let has_templates =
            ["headers/", "header/", "/json/", "/form/", "/body", "/multipart/"].iter().any(|part| field.contains(part));
        let unclosed = Some("${ {}").filter(|_| has_templates && !field.ends_with("body_file"));
        for value in ["http://amy:{}@h:x/", "amy:{}@h"].into_iter().chain(unclosed) {
            let mut broken = whole.clone();
            *broken.pointer_mut(field).unwrap() = Value::String(value.replace("{}", MARKER));
            let file = scratch.write(&format!("{number}.json"), broken.to_string());
            let finished = Run::new(["run", "--dry-run", "-f", &file]).finish();
            if finished.code == 2 {
                places.search(&format!("{field}: {value}"), &finished);
            } else {
                assert_not_revealed(&format!("{field}: {value}"), finished.stderr.as_bytes());
            }
        }
    }
    for (name, text) in [
        ("csv", format!("{MARKER},{MARKER}\n1,2\n")),
        ("csv", format!("a,b\n{MARKER}\n")),
        ("json", format!("\"{MARKER}\"")),
        ("json", format!("[\"{MARKER}\"]")),
        ("json", format!("[{{\"a\":{{\"b\":\"{MARKER}\"}}}}]")),
        ("ndjson", format!("\"{MARKER}\"\n")),
        ("ndjson", format!("{{\"a\":\"{MARKER}\"\n")),
    ] {
        scratch.write("data", &text);
        let file = json!({"data": {"d": {name: "data"}}, "user_classes": [
            {"tasks": [{"requests": [{"get": "http://127.0.0.1:9/${d.other}"}]}]}]});
        let file = scratch.write("data.json", file.to_string());
        places.search(&text, &Run::new(["run", "--dry-run", "-f", &file]).finish().exits(2));
    }
    let cut = scratch.write("cut.json", format!("{{\"variables\": {{\"password\": \"{MARKER}\" x"));
    places.search("a scenario cut off", &Run::new(["run", "-f", &cut]).finish().exits(2));
    println!("{} fields, {} places", fields.len(), places.0.get());
    assert!(fields.len() >= 65 && places.0.get() >= 85, "{} fields, {} places", fields.len(), places.0.get());
}
