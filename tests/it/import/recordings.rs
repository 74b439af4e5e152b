//! Recordings: which requests are taken over, and which of their values come from earlier responses.

mod bodies;
mod identifiers;
mod kinds;
mod pages;

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{accepted, import, requests};
use crate::support::{Run, Scratch};

/// An entry of a recording that was answered with 200; `more` replaces its members, and those of its members.
fn entry(method: &str, url: &str, more: Value) -> Value {
    let mut entry = json!({
        "startedDateTime": "2026-01-01T10:00:00.000Z", "time": 10,
        "request": {"method": method, "url": url, "headers": []},
        "response": {"status": 200, "headers": [], "content": {"mimeType": "text/html"}},
    });
    merge(&mut entry, more);
    entry
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            more.into_iter().for_each(|(name, value)| merge(into.entry(name).or_insert(Value::Null), value));
        }
        (into, more) => *into = more,
    }
}

/// Header fields as a recording has them.
fn fields(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// What `import` makes of entries: the exit code, the scenario, which a dry run accepts, and stderr.
fn imported(name: &str, entries: &[Value], flags: &[&str]) -> (i32, Value, String) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let scratch = Scratch::new(&format!("recording-{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let file = scratch.write("r.har", json!({"log": {"entries": entries}}).to_string());
    let done = Run::new(["import"]).with(flags.iter().copied()).with([&*file]).finish_any();
    if done.stdout.is_empty() {
        return (done.code, Value::Null, done.stderr);
    }
    let path = scratch.write("scenario.json", &done.stdout);
    Run::new(["run", "--dry-run", "-f", &path]).finish().exits(0);
    (done.code, serde_json::from_slice(&done.stdout).unwrap(), done.stderr)
}

/// The steps of the only task of a scenario.
fn steps(scenario: &Value) -> &[Value] {
    scenario["user_classes"][0]["tasks"][0]["requests"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn a_recording_becomes_a_journey_whose_tokens_are_extracted() {
    let har = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/import/shop.har");
    let (requests, stderr) = requests(&[har]);
    let expected = json!([
        {"get": "/", "headers": {"Accept": "text/html"}},
        {"pause": "1.0s..3.0s"},
        {"post": "/login", "json": {"user": "jo"},
         "extract": {"id": {"json": "/id"}, "token": {"json": "/session/token"}}},
        {"get": "/items/${id}/parts/7?t=${token}", "name": "/items/:id/parts/:id",
         "headers": {"Authorization": "Bearer ${token}"}, "expect": {"status": 404}},
        {"pause": "0.5s..1.4s"},
        {"post": "/form", "headers": {"X-Api-Key": "${env.X_API_KEY}"}, "form": {"a": "1 2"}},
    ]);
    assert_eq!(requests, expected);
    for said in ["2 values", "X_API_KEY", "https://track.example.net: left out", "images", "redirects"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let all = import(&["--all-hosts", "--assets", har]).exits(0);
    let scenario: Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(scenario["user_classes"][0]["tasks"][0]["requests"].as_array().unwrap().len(), 8);
    assert_eq!(scenario["user_classes"][0]["wait"], "1.0s..3.0s", "0.5 to 1.5 times the median of the pauses");
}

/// A recording of these exchanges: method, URL, what else the request has, and the JSON that answers it.
fn recording(exchanges: &[(&str, &str, Value, Value)]) -> String {
    let entry = |(method, url, post, answer): &(&str, &str, Value, Value)| {
        let content = json!({"mimeType": "application/json", "text": answer.to_string()});
        json!({
            "request": {"method": method, "url": url, "postData": post},
            "response": {"status": 200, "content": content},
        })
    };
    json!({"log": {"entries": exchanges.iter().map(entry).collect::<Vec<_>>()}}).to_string()
}

#[test]
fn the_fields_of_a_recorded_form_are_kept_whatever_their_names() {
    let scratch = Scratch::new("import-fields");
    let fields = |names: [&str; 2]| json!({"params": names.map(|name| json!({"name": name, "value": "${"}))});
    let url = "http://h.test/a";
    let apart = ["a", "b", "a"].map(|name| json!({"name": name, "value": "1"}));
    let exchanges = [
        ("POST", url, fields(["a", "${"]), json!({})),
        ("POST", url, fields(["a", "a"]), json!({})),
        ("POST", url, fields(["", "a"]), json!({})),
        ("POST", url, json!({"params": apart}), json!({})),
    ];
    let file = scratch.write("fields.har", recording(&exchanges));
    let (requests, _) = accepted(&scratch, &[&file], &[]);
    assert_eq!(requests[0]["form"], json!({"a": "$${", "$${": "$${"}));
    assert_eq!(requests[1]["form"], json!({"a": ["$${", "$${"]}));
    assert_eq!(requests[3]["body"], "a=1&b=1&a=1", "a map cannot have this order");
    assert_eq!(requests[3]["headers"], json!({"Content-Type": "application/x-www-form-urlencoded"}));
    assert_eq!(requests[2]["body"], "=%24%7B&a=%24%7B");
}

#[test]
fn values_are_extracted_only_where_a_variable_can_stand() {
    let scratch = Scratch::new("import-places");
    let answer = json!({
        "self": "http://api.test", "host": "api.test", "next": "/items/abcd", "sessionid": "session1d", "amount": "12345678",
    });
    let text = json!({"text": "$12345678 12345678 ${session1d}"});
    let exchanges = [
        ("GET", "http://shop.test/", Value::Null, answer),
        ("GET", "http://api.test/items/abcd", Value::Null, json!({})),
        ("GET", "http://shop.test/items/abcd?back=/items/abcd&s=session1d", Value::Null, json!({})),
        ("POST", "http://shop.test/", text, json!({})),
    ];
    let file = scratch.write("places.har", recording(&exchanges));
    let (requests, _) = accepted(&scratch, &["--all-hosts", &file], &[]);
    assert_eq!(requests[1]["get"], "http://api.test/items/abcd", "the host and the start of a path stay");
    assert_eq!(requests[2]["get"], "/items/abcd?back=${raw(next)}&s=${sessionid}", "without encoding, as recorded");
    assert_eq!(requests[3]["body"], "$12345678 ${amount} $${${sessionid}}", "after a dollar sign it stays");
}

#[test]
fn a_header_that_was_sent_twice_is_sent_once_with_both_values_and_reported() {
    let sent = fields(&[("X-Tag", "a"), ("x-tag", "b"), ("Accept", "*/*")]);
    let entries = [entry("GET", "http://h.test/", json!({"request": {"headers": sent}}))];
    let (code, scenario, said) = imported("twice", &entries, &[]);
    assert_eq!(steps(&scenario)[0]["headers"], json!({"X-Tag": "a, b", "Accept": "*/*"}));
    assert!(
        said.contains("GET /: header X-Tag: is recorded several times; the values are sent in one field"),
        "{said}"
    );
    assert_eq!(code, 1);
}
