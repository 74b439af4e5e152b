//! What lasts beyond the statement that sets it, and what wins where two things are given.

use serde_json::json;

use super::{Imported, steps};

#[test]
fn what_a_task_sets_in_the_client_for_later_tasks_is_named() {
    let set = "self.client.headers['Authorization'] = 'Bearer x'";
    let other = "@task\ndef me(self):\n    self.client.get('/me')\n";
    for (line, set) in [
        (8, set),
        (8, "self.client.auth = ('u', 'p')"),
        (8, "self.client.headers = {'A': 'b'}"),
        (8, "self.client.headers.clear()"),
    ] {
        let body = format!("@task\ndef login(self):\n    self.client.post('/login')\n    {set}\n{other}");
        let said = format!("locustfile.py:{line}: self.client.");
        Imported::user("lasting", &body).in_part(&[&said, "Locust sends it with all later requests of the user"]);
    }
    // A sequence sends its first request again, in its next round.
    let sequence = format!(
        "class S(SequentialTaskSet):\n    @task\n    def a(self):\n        self.client.post('/login')\n        {set}\n    @task\n    def b(self):\n        self.client.get('/b')\nclass U(HttpUser):\n    host = 'http://h.test'\n    tasks = [S]\n"
    );
    Imported::of("lasting-sequence", &sequence).in_part(&["locustfile.py:7: self.client.headers: a task changes it"]);
    // One task that sets it before its first request sends it with all.
    let requests = steps("lasting-only", &format!("{set}\nself.client.get('/')"));
    assert_eq!(requests, json!([{"get": "/", "headers": {"Authorization": "Bearer x"}}]));
}

#[test]
fn auth_wins_over_a_header_field() {
    let requests = steps(
        "auth",
        "self.client.auth = ('u', 'p')\n\
         self.client.get('/a', headers={'authorization': 'Bearer x'})\n\
         self.client.get('/b', auth=('v', 'p'), headers={'Authorization': 'Bearer x'})",
    );
    let expected = json!([
        {"get": "/a", "headers": {"Authorization": "Basic dTpw"}},
        {"get": "/b", "headers": {"Authorization": "Basic djpw"}},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn data_wins_over_json_unless_it_is_empty() {
    let requests = steps(
        "data-json",
        "self.client.post('/a', json={'y': 2}, data={'x': '1'})\n\
         self.client.post('/b', {'x': '1'}, {'y': 2})\n\
         self.client.post('/c', data={}, json={'y': 2})",
    );
    let expected = json!([
        {"post": "/a", "form": {"x": "1"}},
        {"post": "/b", "form": {"x": "1"}},
        {"post": "/c", "json": {"y": 2}},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn a_test_of_the_type_of_an_answer_is_not_known() {
    for test in ["isinstance(r.json(), dict)", "type(r.json()) == dict", "not isinstance(r.json(), list)"] {
        let body = format!(
            "@task\ndef t(self):\n    r = self.client.get('/k')\n    if {test}:\n        self.client.get('/x')\n"
        );
        Imported::user("type", &body).in_part(&["locustfile.py:8: `if` is left out with all that is in it"]);
    }
}
