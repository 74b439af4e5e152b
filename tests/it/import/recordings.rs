//! Recordings: which requests are taken over, and which of their values come from earlier responses.

use serde_json::{Value, json};

use super::{accepted, import, requests};
use crate::support::Scratch;

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
    let exchanges = [
        ("POST", url, fields(["a", "${"]), json!({})),
        ("POST", url, fields(["a", "a"]), json!({})),
        ("POST", url, fields(["", "a"]), json!({})),
        ("POST", url, json!({"params": ["a", "b", "a"].map(|name| json!({"name": name, "value": "1"}))}), json!({})),
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
