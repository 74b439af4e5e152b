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

#[test]
fn a_change_of_a_dictionary_that_others_have_is_named() {
    let said = [
        (
            "self.payload['n'] += 1\nself.client.post('/', json=self.payload)",
            "locustfile.py:8: payload is changed here",
        ),
        (
            "self.payload.update(a=1)\nself.client.post('/', json=self.payload)",
            "locustfile.py:8: payload is changed here",
        ),
        ("h = self.payload\nh['a'] = 1\nself.client.post('/', json=h)", "locustfile.py:9: payload is changed here"),
        ("ALL['a'] = 1\nself.client.post('/', json=ALL)", "locustfile.py:8: ALL is changed here"),
        (
            "a = {'x': 1}\nb = a\nb['y'] = 2\nself.client.post('/', json=a)",
            "locustfile.py:10: b is changed here, but a",
        ),
        ("d = {'x': 1}\nself.add(d)\nself.client.post('/', json=d)", "locustfile.py:9: add changes d"),
    ];
    for (at, (statements, said)) in said.into_iter().enumerate() {
        let lines: Vec<String> = statements.lines().map(|line| format!("        {line}\n")).collect();
        let source = format!(
            "ALL = {{}}\nclass U(HttpUser):\n    payload = {{'n': 0}}\n    @task\n    def t(self):\n{}    def add(self, to):\n        to['z'] = 1\n    host = 'http://h.test'\n",
            lines.concat()
        );
        Imported::of(&format!("shared-{at}"), &source).in_part(&[said]);
    }
    // A dictionary of the task itself is followed.
    let requests = steps("own", "a = {'x': 1}\na['y'] = 2\na.update(z=3)\nself.client.post('/', json=a)");
    assert_eq!(requests, json!([{"post": "/", "json": {"x": 1, "y": 2, "z": 3}}]));
}

#[test]
fn a_text_that_changes_begins_as_the_class_has_it() {
    let body = "token = ''\n@task\ndef t(self):\n    r = self.client.get('/a', headers={'Authorization': 'Bearer ' + self.token})\n    if r.status_code == 200:\n        self.token = r.json()['token']\n";
    let imported = Imported::user("begin", body).whole();
    assert_eq!(imported.on_start(), &json!([{"set": {"token": ""}}]));
    let expected = json!([
        {"set": {"token_2": null}},
        {"get": "/a", "headers": {"Authorization": "Bearer ${token}"}, "extract": {"token_2": {"json": "/token", "default": ""}}},
        {"when": "${status} == 200", "requests": [
            {"when": "${token_2} is_empty", "requests": [{"leave": "task"}]},
            {"set": {"token": "${token_2}"}},
        ]},
    ]);
    assert_eq!(imported.task(0), &expected);
}

#[test]
fn a_host_that_is_sent_as_a_value_is_that_of_the_file() {
    let send = "@task\ndef t(self):\n    self.client.get(self.client.base_url + '/a', headers={'Origin': self.client.base_url})\n    self.client.post('/b', json={'from': f'{self.environment.host}/b'})\n";
    let imported = Imported::user("host", send).whole();
    let expected = json!([
        {"get": "/a", "headers": {"Origin": "http://h.test"}},
        {"post": "/b", "json": {"from": "http://h.test/b"}},
    ]);
    assert_eq!(imported.task(0), &expected);
    assert!(imported.stderr.contains("locustfile.py:7: the host that is sent as a value"), "{}", imported.stderr);
    let without = "class U(HttpUser):\n    @task\n    def t(self):\n        self.client.get('/a', headers={'Referer': self.host + '/l'})\n        self.client.get('/b')\n";
    let imported = Imported::of("no-host", without).in_part(&["locustfile.py:6: a request is left out"]);
    assert_eq!(imported.task(0), &json!([{"get": "/b"}]));
}

#[test]
fn numbers_and_choices_are_those_of_python() {
    let requests = steps(
        "numbers",
        "for i, x in enumerate(['p'], 5):\n    self.client.get(f'/{i}/{x}')\n\
         for i, x in enumerate(['p'], start=1):\n    self.client.get(f'/{i}/{x}')\n\
         self.client.get('/' + str(1 and 'two') + str(0 and 'two') + str(round(2.5)) + str(round(3.5)) + str(round(2.675, 2)))",
    );
    assert_eq!(requests, json!([{"get": "/5/p"}, {"get": "/1/p"}, {"get": "/two0242.67"}]));
    let body = "@task\ndef t(self):\n    r = self.client.get('/k')\n    if r.json()['id'] == '7':\n        self.client.get('/x')\n";
    Imported::user("seven", body).in_part(&["locustfile.py:8: a value of a response is compared as a text"]);
}

#[test]
fn a_header_that_one_branch_sets_is_sent_after_both_and_that_is_said_with_the_line() {
    let body = "def on_start(self):\n    r = self.client.get('/login')\n    if r.status_code == 200:\n        self.client.headers['X-In'] = '1'\n@task\ndef t(self):\n    self.client.get('/a')\n";
    let imported = Imported::user("one-branch", body);
    let said = "X-In is set in one branch of this condition only; later requests have it in both";
    assert!(imported.stderr.contains(&format!("locustfile.py:7: self.client.headers: {said}")), "{}", imported.stderr);
    let last = imported.task(0).as_array().unwrap().last().unwrap();
    assert_eq!(last, &json!({"get": "/a", "headers": {"X-In": "1"}}));
    let both = body.replace("@task", "    else:\n        self.client.headers['X-In'] = '1'\n@task");
    let imported = Imported::user("both-branches", &both);
    assert!(!imported.stderr.contains("in one branch"), "{}", imported.stderr);
}
