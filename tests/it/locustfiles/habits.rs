//! Habits of locustfiles, and what Locust makes of them.

use serde_json::json;

use super::{Imported, steps};

#[test]
fn a_token_that_is_kept_in_self_is_in_the_headers_of_each_request() {
    let body = "def on_start(self):\n    r = self.client.post('/login', json={'u': 'a'})\n    self.token = r.json()['token']\n\
                def auth(self):\n    return {'Authorization': f'Bearer {self.token}'}\n\
                @task\ndef t(self):\n    self.client.get('/me', headers=self.auth())\n";
    let imported = Imported::user("token", body).whole();
    let login = json!([
        {"post": "/login", "json": {"u": "a"}, "extract": {"token": {"json": "/token", "default": ""}}},
        {"when": "${token} is_empty", "requests": [{"stop": "user"}]},
    ]);
    assert_eq!(imported.on_start(), &login);
    assert_eq!(imported.task(0), &json!([{"get": "/me", "headers": {"Authorization": "Bearer ${token}"}}]));
    assert!(imported.stderr.contains("if a request of on_start fails, on_start is repeated"), "{}", imported.stderr);
}

#[test]
fn when_the_login_fails_the_tasks_that_need_it_return() {
    let body = "def on_start(self):\n    self.token = None\n    r = self.client.post('/login')\n    if r.status_code == 200:\n        self.token = r.json().get('token')\n\
                @task\ndef t(self):\n    if not self.token:\n        return\n    self.client.get('/me')\n";
    let imported = Imported::user("guard", body).whole();
    let task = imported.task(0);
    assert_eq!(task[0]["when"], "${is_started} is_empty");
    assert_eq!(task[1], json!({"when": "${token} is_empty", "requests": [{"leave": "task"}]}));
    assert_eq!(task[2], json!({"get": "/me"}));
    assert!(imported.stderr.contains("on_start goes on when a request of it fails"), "{}", imported.stderr);
}

#[test]
fn statuses_that_are_made_a_success_are_accepted() {
    let requests = steps(
        "accepted",
        "with self.client.post('/register', catch_response=True) as r:\n    if r.status_code in (201, 400, 409):\n        r.success()\n    else:\n        r.failure('x')\n\
         with self.client.get(f'/items/{random.randint(1, 9)}', catch_response=True) as r:\n    if r.status_code == 404:\n        r.success()\n\
         with self.client.get('/a', catch_response=True) as r:\n    if r.status_code >= 500:\n        r.failure('x')\n    else:\n        r.success()",
    );
    assert_eq!(requests[0]["expect"], json!({"status": [201, 400, 409]}));
    assert_eq!(requests[1]["expect"], json!({"status": ["1xx", "2xx", "3xx", 404]}));
    assert_eq!(requests[2]["expect"], json!({"status": ["1xx", "2xx", "3xx", "4xx"]}));
}

#[test]
fn tests_of_the_answer_are_expectations() {
    let requests = steps(
        "tests",
        "with self.client.get('/a', catch_response=True) as r:\n    if r.status_code != 200:\n        r.failure('s')\n    elif 'Welcome' not in r.text:\n        r.failure('t')\n    elif r.json()['state'] != 'ok':\n        r.failure('j')\n    elif r.elapsed.total_seconds() > 0.5:\n        r.failure('slow')",
    );
    let expected = json!({"status": 200, "within": "500ms", "body_contains": "Welcome", "json": {"/state": "ok"}});
    assert_eq!(requests[0]["expect"], expected);
}

#[test]
fn a_test_that_is_not_known_is_named_and_left_out() {
    let body = "@task\ndef t(self):\n    with self.client.get('/a', catch_response=True) as r:\n        if r.status_code != 200 or odd(r):\n            r.failure('x')\n";
    let imported = Imported::user("odd", body).in_part(&["a test of the response is left out"]);
    assert_eq!(imported.task(0)[0]["expect"], json!({"status": 200}));
}

#[test]
fn repeated_items_of_a_list_are_weights() {
    let source = "def a(u):\n    u.client.get('/a')\ndef b(u):\n    u.client.get('/b')\nclass U(HttpUser):\n    host = 'http://h.test'\n    tasks = [a, b, b]\n";
    let imported = Imported::of("repeated", source).whole();
    let tasks =
        json!([{"name": "a", "requests": [{"get": "/a"}]}, {"name": "b", "weight": 2, "requests": [{"get": "/b"}]}]);
    assert_eq!(imported.scenario["user_classes"][0]["tasks"], tasks);
}

#[test]
fn catch_response_without_with_reports_no_failure() {
    let body = "@task\ndef t(self):\n    self.client.get('/a', catch_response=True)\n";
    let imported = Imported::user("careless", body).whole();
    assert_eq!(imported.task(0)[0]["expect"], json!({"status": ["1xx", "2xx", "3xx", "4xx", "5xx"]}));
    assert!(imported.stderr.contains("locustfile.py:7: catch_response=True without `with`"), "{}", imported.stderr);
}

#[test]
fn an_assertion_and_a_missing_key_end_the_task_and_are_no_failure() {
    let requests = steps(
        "assert",
        "r = self.client.get('/a')\nassert r.status_code == 200\nself.client.get('/b/' + r.json()['id'])\nself.client.get('/c')",
    );
    let expected = json!([
        {"set": {"id": null}},
        {"get": "/a", "extract": {"id": {"json": "/id", "default": ""}}},
        {"when": "${status} != 200", "requests": [{"leave": "task"}]},
        {"when": "${id} is_empty", "requests": [{"leave": "task"}]},
        {"get": "/b/${id}"},
        {"get": "/c"},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn a_helper_that_returns_early_is_a_loop_of_one_round() {
    let body = "def look(self):\n    r = self.client.get('/a')\n    if r.status_code != 200:\n        return\n    self.client.get('/b')\n\
                @task\ndef t(self):\n    self.look()\n    self.client.get('/c')\n";
    let imported = Imported::user("early", body).whole();
    let expected = json!([
        {"repeat": 1, "requests": [
            {"get": "/a"}, {"when": "${status} != 200", "requests": [{"leave": "loop"}]}, {"get": "/b"},
        ]},
        {"get": "/c"},
    ]);
    assert_eq!(imported.task(0), &expected);
}

#[test]
fn polling_is_a_loop_that_is_left() {
    let requests = steps(
        "polling",
        "for _ in range(10):\n    if self.client.get('/job').json().get('state') == 'done':\n        break\n    time.sleep(1)\nself.client.get('/result')",
    );
    let expected = json!([
        {"repeat": 10, "requests": [
            {"set": {"state": null}},
            {"get": "/job", "extract": {"state": {"json": "/state", "default": ""}}},
            {"when": "${state} == done", "requests": [{"leave": "loop"}]},
            {"pause": "1s"},
        ]},
        {"get": "/result"},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn items_of_answers_are_picked_collected_and_visited() {
    let body = "def on_start(self):\n    self.ids = []\n\
                @task\ndef t(self):\n    r = self.client.get('/items')\n    item = random.choice(r.json()['items'])\n    self.client.get(f\"/items/{item['id']}\")\n    self.ids.append(item['id'])\n\
                @task\ndef u(self):\n    if self.ids:\n        self.client.get(f'/again/{random.choice(self.ids)}')\n\
                @task\ndef v(self):\n    for x in self.client.get('/all').json():\n        self.client.get(f\"/all/{x['name']}\")\n";
    let imported = Imported::user("items", body).whole();
    assert_eq!(imported.task(0)[1]["extract"]["id"], json!({"json": "/items/*/id", "pick": "random", "default": ""}));
    assert_eq!(imported.task(0)[4], json!({"append": {"ids": "${id}"}}));
    assert_eq!(imported.task(1)[0]["else"], json!([{"get": "/again/${pick(ids)}"}]));
    let each = json!({"for_each": "names", "as": "name", "requests": [{"get": "/all/${name}"}]});
    assert_eq!(imported.task(2)[2], each);
}

#[test]
fn a_path_without_a_slash_is_repaired_and_said() {
    let body = "@task\ndef t(self):\n    self.client.get('items')\n";
    let imported = Imported::user("slash", body);
    assert_eq!(imported.code, 1, "Locust asks http://hostitems: {}", imported.stderr);
    assert!(imported.stderr.contains("its path has no slash in front"), "{}", imported.stderr);
    assert_eq!(imported.task(0), &json!([{"get": "/items"}]));
}
