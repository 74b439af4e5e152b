//! Classes: users, `TaskSet`s, inheritance, hosts, load shapes and listeners.

use serde_json::json;

use super::Imported;

#[test]
fn weights_waits_and_counts_are_those_of_the_class() {
    let source = "class A(HttpUser):\n    host = 'http://h.test'\n    weight = 3\n    wait_time = between(1, 2.5)\n    @task(2)\n    def t(self):\n        self.client.get('/')\n    @tag('x')\n    @task\n    def u(self):\n        self.client.get('/u')\n\
                  class B(A):\n    fixed_count = 2\n    wait_time = constant_pacing(3)\n    weight = 1\n";
    let imported = Imported::of("weights", source).whole();
    let classes = &imported.scenario["user_classes"];
    assert_eq!((&classes[0]["weight"], &classes[0]["wait"]), (&json!(3), &json!("1s..2500ms")));
    assert_eq!((&classes[1]["fixed_count"], &classes[1]["wait"]), (&json!(2), &json!("pacing:3s")));
    let tasks = json!([{"name": "t", "weight": 2, "requests": [{"get": "/"}]}, {"name": "u", "tags": ["x"], "requests": [{"get": "/u"}]}]);
    assert_eq!((&classes[0]["tasks"], &classes[1]["tasks"]), (&tasks, &tasks));
}

#[test]
fn the_last_of_two_methods_of_one_name_wins() {
    let body =
        "@task\ndef t(self):\n    self.client.get('/first')\n@task(3)\ndef t(self):\n    self.client.get('/last')\n";
    let imported = Imported::user("last", body).whole();
    let tasks = json!([{"name": "t", "weight": 3, "requests": [{"get": "/last"}]}]);
    assert_eq!(imported.scenario["user_classes"][0]["tasks"], tasks);
}

#[test]
fn abstract_classes_and_mixins_are_inherited_from() {
    let source = "class Login:\n    def on_start(self):\n        self.client.post('/login')\n    @task\n    def no_task(self):\n        self.client.get('/no')\n\
                  class Base(HttpUser):\n    abstract = True\n    host = 'http://h.test'\n    @task\n    def a(self):\n        self.client.get('/a')\n\
                  class U(Login, Base):\n    def on_start(self):\n        super().on_start()\n        self.client.get('/home')\n";
    let imported = Imported::of("abstract", source).whole();
    assert_eq!(imported.on_start(), &json!([{"post": "/login"}, {"get": "/home"}]));
    let tasks = json!([{"name": "a", "requests": [{"get": "/a"}]}]);
    assert_eq!(imported.scenario["user_classes"][0]["tasks"], tasks);
}

#[test]
fn a_task_set_without_interrupt_keeps_its_users() {
    let source = "class A(TaskSet):\n    @task\n    def a(self):\n        self.client.get('/a')\nclass B(TaskSet):\n    @task\n    def b(self):\n        self.client.get('/b')\n\
                  class U(HttpUser):\n    host = 'http://h.test'\n    tasks = {A: 3, B: 1}\nclass V(HttpUser):\n    @task\n    def v(self):\n        self.client.get('/v')\n";
    let imported = Imported::of("stay", source).whole();
    let classes = imported.scenario["user_classes"].as_array().unwrap();
    let shares: Vec<_> = classes.iter().map(|class| (class["name"].as_str().unwrap(), &class["weight"])).collect();
    assert_eq!(shares, [("U: A", &json!(3)), ("U: B", &serde_json::Value::Null), ("V", &json!(4))]);
}

#[test]
fn a_sequence_is_one_task_whose_steps_are_repeated_by_their_weight() {
    let source = "class S(SequentialTaskSet):\n    @task\n    def a(self):\n        self.client.get('/a')\n    @task(2)\n    def b(self):\n        r = self.client.get('/b')\n        if r.status_code != 200:\n            return\n        self.client.get('/c')\n\
                  class U(HttpUser):\n    host = 'http://h.test'\n    wait_time = constant(1)\n    tasks = [S]\n";
    let imported = Imported::of("sequence", source).whole();
    let b = json!({"repeat": 1, "requests": [{"get": "/b"}, {"when": "${status} != 200", "requests": [{"leave": "loop"}]}, {"get": "/c"}]});
    assert_eq!(imported.task(0), &json!([{"get": "/a"}, {"pause": "1s"}, b, {"pause": "1s"}, b]));
    assert_eq!(imported.scenario["user_classes"][0]["wait"], "1s");
}

#[test]
fn a_nested_task_set_with_interrupt_is_named_and_left_out() {
    let source = "class S(TaskSet):\n    @task\n    def a(self):\n        self.client.get('/a')\n    @task\n    class Inner(TaskSet):\n        @task\n        def b(self):\n            self.interrupt()\n\
                  class U(HttpUser):\n    host = 'http://h.test'\n    tasks = [S]\n";
    let imported = Imported::of("nested", source).in_part(&["locustfile.py:8: the TaskSet Inner is left out"]);
    assert_eq!(imported.task(0), &json!([{"get": "/a"}]));
}

#[test]
fn requests_to_other_hosts_are_absolute() {
    let source = "class A(HttpUser):\n    host = 'http://a.test'\n    @task\n    def t(self):\n        self.client.get('/a')\n        self.client.get('http://c.test/c')\n\
                  class B(HttpUser):\n    host = 'http://b.test/v1'\n    @task\n    def t(self):\n        self.client.get('/b')\n";
    let imported = Imported::of("hosts", source).whole();
    assert_eq!(imported.scenario["host"], "http://a.test");
    let urls = json!([{"get": "/a"}, {"get": "http://c.test/c", "name": "/c"}]);
    assert_eq!(imported.task(0), &urls);
    assert_eq!(imported.scenario["user_classes"][1]["tasks"][0]["requests"][0]["get"], "http://b.test/v1/b");
}

#[test]
fn a_table_of_stages_is_a_ramp_and_a_hold_each() {
    let shape = "class S(LoadTestShape):\n    stages = [{'duration': 10, 'users': 20, 'spawn_rate': 10}, {'duration': 30, 'users': 5, 'spawn_rate': 5}]\n    def tick(self):\n        for stage in self.stages:\n            if self.get_run_time() < stage['duration']:\n                return stage['users'], stage['spawn_rate']\n        return None\n";
    let user =
        "class U(HttpUser):\n    host = 'http://h.test'\n    @task\n    def t(self):\n        self.client.get('/')\n";
    let imported = Imported::of("shape", &format!("{user}{shape}")).whole();
    let stages = json!([{"duration": "2s", "target": 20}, {"duration": "8s", "target": 20}, {"duration": "3s", "target": 5}, {"duration": "17s", "target": 5}]);
    assert_eq!(imported.scenario["stages"], stages);
    let other = "class S(LoadTestShape):\n    def tick(self):\n        return (1, 1)\n";
    Imported::of("shape-code", &format!("{user}{other}")).in_part(&["the shape S is left out"]);
}

#[test]
fn what_test_start_requests_is_the_setup_and_other_listeners_are_named() {
    let source = "import requests\nTOKEN = None\n@events.test_start.add_listener\ndef begin(environment, **kw):\n    global TOKEN\n    TOKEN = requests.post(environment.host + '/login').json()['token']\n\
                  @events.request.add_listener\ndef each(**kw):\n    pass\n\
                  class U(HttpUser):\n    host = 'http://h.test'\n    @task\n    def t(self):\n        self.client.get('/', headers={'T': TOKEN})\n";
    let imported = Imported::of("setup", source).in_part(&["the listener each of request is left out"]);
    assert_eq!(imported.scenario["setup"][0]["extract"], json!({"TOKEN": {"json": "/token", "default": ""}}));
    assert_eq!(imported.task(0), &json!([{"get": "/", "headers": {"T": "${TOKEN}"}}]));
}

#[test]
fn a_fast_user_has_parameters_of_its_own() {
    let source = "class U(FastHttpUser):\n    host = 'http://h.test'\n    network_timeout = 5.0\n    max_redirects = 2\n    default_headers = {'X-A': 'b'}\n    @task\n    def t(self):\n        self.client.post('/a', json={'b': 1})\n        with self.rest('GET', '/r') as r:\n            if r.js['id'] != 4:\n                r.failure('x')\n";
    let imported = Imported::of("fast", source).whole();
    let accept = json!({"Accept": "application/json"});
    assert_eq!(imported.task(0)[0]["headers"]["Accept"], accept["Accept"]);
    assert_eq!(
        (&imported.task(0)[0]["headers"]["X-A"], &imported.task(0)[0]["timeout"], &imported.task(0)[0]["redirects"]),
        (&json!("b"), &json!("5s"), &json!(2))
    );
    assert_eq!(imported.task(0)[1]["expect"], json!({"json": {"/id": 4}}));
}
