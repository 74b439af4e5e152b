//! `try` and its handlers, where a member of an answer is missing.

use serde_json::json;

use super::{Imported, steps};

#[test]
fn what_a_handler_sets_is_a_variable() {
    let requests = steps(
        "fallback",
        "r = self.client.get('/k')\ntry:\n    tok = r.json()['key']\nexcept KeyError:\n    tok = 'fallback'\nself.client.get('/tok/' + tok)",
    );
    let expected = json!([
        {"set": {"tok": null}},
        {"get": "/k", "extract": {"tok": {"json": "/key", "default": ""}}},
        {"when": "${tok} is_empty", "requests": [{"set": {"tok": "fallback"}}]},
        {"get": "/tok/${tok}"},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn a_handler_sends_its_requests_where_the_member_is_read() {
    let requests = steps(
        "handler",
        "try:\n    v = self.client.get('/k').json()['key']\n    self.client.get('/next')\nexcept (KeyError, ValueError):\n    self.client.get('/handler')",
    );
    let expected = json!([{"repeat": 1, "requests": [
        {"set": {"key": null}},
        {"get": "/k", "extract": {"key": {"json": "/key", "default": ""}}},
        {"when": "${key} is_empty", "requests": [{"get": "/handler"}, {"leave": "loop"}]},
        {"get": "/next"},
    ]}]);
    assert_eq!(requests, expected);
}

#[test]
fn what_of_a_handler_has_no_place_in_a_scenario_is_named() {
    let body = "@task\ndef t(self):\n    r = self.client.get('/k')\n    try:\n        d = r.json()['key']\n    except ValueError:\n        self.client.get('/other')\n    except KeyError:\n        d = {'a': 1}\n    self.client.get('/x')\n";
    Imported::user("handlers", body).in_part(&[
        "locustfile.py:10: one of several `except` is left out",
        "locustfile.py:13: what `except` sets is left out",
    ]);
}
