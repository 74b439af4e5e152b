//! Pages of a recording: where redirects lead, and how long the user looked at each.

use serde_json::{Value, json};

use super::{entry, imported, steps};

fn at(time: &str) -> Value {
    json!({"startedDateTime": format!("2026-01-01T10:00:{time}Z")})
}

fn redirect(status: u16, to: &str) -> Value {
    json!({"response": {"status": status, "redirectURL": to}})
}

#[test]
fn the_first_pages_redirects_lead_to_the_host_and_its_origins_are_kept() {
    let entries = [
        entry("GET", "http://shop.test/?ad=1", redirect(301, "https://shop.test/?ad=1")),
        entry("GET", "https://shop.test/?ad=1", redirect(302, "https://www.shop.test/en")),
        entry("GET", "https://www.shop.test/en", json!({})),
        entry("GET", "https://cdn.test/a", json!({})),
        entry("GET", "http://shop.test/old", json!({})),
        entry("POST", "https://www.shop.test/orders", redirect(303, "/orders/thanks")),
        entry("GET", "https://www.shop.test/orders/thanks", json!({})),
    ];
    let (code, scenario, stderr) = imported("home", &entries, &[]);
    assert_eq!(scenario["host"], "https://www.shop.test");
    let expected = [
        json!({"get": "http://shop.test/?ad=1", "name": "/"}),
        json!({"get": "http://shop.test/old"}),
        json!({"post": "/orders"}),
    ];
    assert_eq!((steps(&scenario), code), (&expected[..], 0), "{stderr}");
    assert!(stderr.contains("https://cdn.test: left out, another host"), "{stderr}");
    let without_field =
        json!({"response": {"status": 301, "headers": [{"name": "location", "value": "https://shop.test/"}]}});
    let entries = [entry("GET", "http://shop.test/", without_field), entry("GET", "https://shop.test/", json!({}))];
    assert_eq!(imported("location", &entries, &[]).1["host"], "https://shop.test", "only the header says where");
}

#[test]
fn a_page_decides_about_the_host_and_not_what_was_recorded_before_it() {
    let page = json!({"_resourceType": "document"});
    let entries = [
        entry("POST", "http://update.test/check", json!({"_resourceType": "xhr"})),
        entry("GET", "http://shop.test/", page),
    ];
    let (_, scenario, _) = imported("page", &entries, &[]);
    assert_eq!((&scenario["host"], steps(&scenario)), (&json!("http://shop.test"), &[json!({"get": "/"})][..]));
}

#[test]
fn a_redirect_is_followed_as_far_as_the_recording_followed_it() {
    let entries = [
        entry("GET", "http://h.test/a", redirect(302, "/b")),
        entry("GET", "http://h.test/other", json!({})),
        entry("GET", "http://h.test/b", json!({})),
        entry("GET", "http://h.test/b", json!({})),
        entry("POST", "http://h.test/c", redirect(303, "/d")),
    ];
    let (code, scenario, stderr) = imported("unfollowed", &entries, &[]);
    let expected =
        [json!({"get": "/a"}), json!({"get": "/other"}), json!({"get": "/b"}), json!({"post": "/c", "redirects": 0})];
    assert_eq!((steps(&scenario), code), (&expected[..], 0));
    assert!(stderr.contains("POST /c: its redirect was not followed in the recording"), "{stderr}");
    let late = [("00.000", "GET", "/a"), ("09.000", "GET", "/b")].map(|(time, method, path)| {
        let more = if path == "/a" { redirect(302, "/b") } else { json!({}) };
        let mut entry = entry(method, &format!("http://h.test{path}"), more);
        super::merge(&mut entry, at(time));
        entry
    });
    let (_, scenario, _) = imported("late", &late, &["--no-pauses"]);
    assert_eq!(steps(&scenario).len(), 2, "a user who comes nine seconds later follows no redirect");
}

#[test]
fn gaps_before_pages_become_pauses_that_are_bounded() {
    let page = |time: &str, name: &str, path: &str, took: u64| {
        let mut entry = entry("GET", &format!("http://h.test{path}"), json!({"pageref": name, "time": took}));
        super::merge(&mut entry, at(time));
        entry
    };
    let stream = json!({"_resourceType": "eventsource", "time": 50_000});
    let mut events = entry("GET", "http://h.test/events", stream);
    super::merge(&mut events, at("00.200"));
    let entries = [
        page("00.000", "1", "/", 100),
        page("00.150", "1", "/api", 50),
        events,
        page("02.200", "2", "/b", 100),
        page("02.250", "2", "/b/api", 1_000),
        page("03.900", "2", "/b/more", 100),
        page("05.500", "2", "/b/later", 100),
        page("05.650", "3", "/script", 10),
    ];
    let (code, scenario, stderr) = imported("pauses", &entries, &[]);
    let of_step = |step: &Value| step.get("pause").or(step.get("get")).cloned().unwrap();
    let seen: Vec<Value> = steps(&scenario).iter().map(of_step).collect();
    let expected =
        json!(["/", "/api", "/events", "1.0s..3.0s", "/b", "/b/api", "/b/more", "0.8s..2.2s", "/b/later", "/script"]);
    assert_eq!((json!(seen), code), (expected, 0), "{stderr}");
    let (_, scenario, _) = imported("no-pauses", &entries, &["--no-pauses"]);
    assert!(!scenario.to_string().contains("pause") && scenario["user_classes"][0].get("wait").is_none());
    let away = [page("00.000", "1", "/", 100), json!({})];
    let mut later = page("00.000", "2", "/b", 100);
    later["startedDateTime"] = json!("2026-01-01T11:00:00.000Z");
    let (_, scenario, stderr) = imported("away", &[away[0].clone(), later], &[]);
    assert_eq!(steps(&scenario)[1], json!({"pause": "30.0s..90.0s"}));
    assert!(stderr.contains("pauses of more than 60 seconds: shortened to that"), "{stderr}");
}
