//! Constants, texts, random values, times, the environment, and the options of requests.

use serde_json::json;

use super::{Imported, steps};

#[test]
fn every_way_to_write_a_text_is_followed() {
    let source = "BASE = '/v1'\nPATHS = {'item': 'items'}\nclass U(HttpUser):\n    host = 'http://h.test'\n    @task\n    def t(self):\n        n = 7\n        self.client.get(f'{BASE}/{n}')\n        self.client.get('%s/%d%%' % (BASE, n))\n        self.client.get('{}/{name}'.format(BASE, name='x'))\n        self.client.get(BASE + '/' + str(n))\n        self.client.get('/'.join(['', 'a', PATHS['item']]))\n        self.client.get(f'/{n:03d}')\n";
    let imported = Imported::of("texts", source).whole();
    let expected = json!([{"get": "/v1/7"}, {"get": "/v1/7%"}, {"get": "/v1/x"}, {"get": "/v1/7"}, {"get": "/a/items"}, {"get": "/007"}]);
    assert_eq!(imported.task(0), &expected);
}

#[test]
fn the_options_of_requests_are_taken_over() {
    let requests = steps(
        "options",
        "self.client.get('/a', params={'q': 1, 'none': None}, headers={'X': 'y', 'Z': None}, timeout=2.5, allow_redirects=False, name='n')\n\
         self.client.post('/b', data={'a': 'b', 'list': [1, 2]}, auth=('u', 'p'))\n\
         self.client.put('/c', data='text')\n\
         self.client.patch('/d', data=json.dumps({'a': 1.50}), headers={'Content-Type': 'application/json'})\n\
         self.client.request('PROPFIND', '/e')\n\
         self.client.head('/f')",
    );
    let expected = json!([
        {"get": "/a", "name": "n", "query": {"q": "1"}, "headers": {"X": "y", "Z": null}, "timeout": "2500ms", "redirects": 0},
        {"post": "/b", "headers": {"Authorization": "Basic dTpw"}, "form": {"a": "b", "list": ["1", "2"]}},
        {"put": "/c", "body": "text"},
        {"patch": "/d", "headers": {"Content-Type": "application/json"}, "json": {"a": 1.5}},
        {"request": "/e", "method": "PROPFIND"},
        {"head": "/f", "redirects": 0},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn files_become_parts_of_a_form() {
    let requests = steps(
        "files",
        "self.client.post('/u', data={'title': 'x'}, files={'f': ('a.txt', 'hello', 'text/plain'), 'g': open('b.bin', 'rb')})",
    );
    let expected = json!([{"post": "/u", "multipart": [
        {"name": "title", "value": "x"},
        {"name": "f", "value": "hello", "filename": "a.txt", "content_type": "text/plain"},
        {"name": "g", "file": "b.bin"},
    ]}]);
    assert_eq!(requests, expected);
}

#[test]
fn random_values_are_drawn_for_each_request_and_kept_under_a_name() {
    let requests = steps(
        "random",
        "x = random.randint(1, 5)\nself.client.get(f'/{x}/{x}')\n\
         self.client.get(f'/{random.choice([1, 2, 2])}/{uuid.uuid4()}/{uuid.uuid4().hex[:8]}')\n\
         self.client.post('/p', json={'n': random.randint(0, 9), 'price': round(random.uniform(1, 10), 2), 't': int(time.time())})",
    );
    let expected = json!([
        {"set": {"x": "${random(1,5)}"}},
        {"get": "/${x}/${x}"},
        {"get": "/${choice(1,2,2)}/${uuid}/${hex(8)}"},
        {"set": {"value": "${random(1,9)}.${random(0,9)}${random(0,9)}${random(0,9)}"}},
        {"post": "/p", "json": {"n": "${number(random(0,9))}", "price": "${number(value)}", "t": "${number(now(%s))}"}},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn one_of_several_dictionaries_is_one_for_all_its_members() {
    let requests = steps(
        "accounts",
        "a = random.choice([{'u': 'amy', 'p': '1'}, {'u': 'bob', 'p': '1'}])\nself.client.post('/l', data={'u': a['u'], 'p': a['p']})",
    );
    let expected = json!([
        {"set": {"choice": "${random(0,1)}"}},
        {"when": "${choice} == 0", "requests": [{"set": {"chosen": "amy"}}]},
        {"when": "${choice} == 1", "requests": [{"set": {"chosen": "bob"}}]},
        {"post": "/l", "form": {"u": "${chosen}", "p": "1"}},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn the_environment_has_its_defaults() {
    let source = "KEY = os.environ['KEY']\nclass U(HttpUser):\n    host = os.getenv('TARGET', 'http://h.test')\n    @task\n    def t(self):\n        self.client.get('/', headers={'K': KEY, 'T': os.environ.get('TENANT', 'acme')})\n";
    let imported = Imported::of("environment", source).whole();
    assert_eq!(imported.scenario["host"], "${TARGET}");
    let variables = json!({"KEY": {"env": "KEY"}, "TARGET": {"env": "TARGET", "default": "http://h.test"}, "TENANT": {"env": "TENANT", "default": "acme"}});
    assert_eq!(imported.scenario["variables"], variables);
    assert_eq!(imported.task(0), &json!([{"get": "/", "headers": {"K": "${KEY}", "T": "${TENANT}"}}]));
}

#[test]
fn loops_and_pauses_are_steps() {
    let requests = steps(
        "loops",
        "for i in range(3):\n    self.client.get(f'/{i}')\n    time.sleep(0.5)\nfor p in ['/a', '/b']:\n    self.client.get(p)\nfor _ in range(random.randint(1, 4)):\n    self.client.get('/c')",
    );
    let expected = json!([
        {"repeat": 3, "as": "i", "requests": [{"get": "/${i}"}, {"pause": "500ms"}]},
        {"get": "/a"}, {"get": "/b"},
        {"repeat": "1..4", "requests": [{"get": "/c"}]},
    ]);
    assert_eq!(requests, expected);
}

#[test]
fn a_field_that_is_there_by_chance_makes_two_requests() {
    let requests = steps(
        "chance",
        "body = {'a': 1}\nif random.random() < 0.3:\n    body['b'] = 2\nself.client.post('/p', json=body)",
    );
    let expected = json!([{"when": "${chance(0.3)} == true",
        "requests": [{"post": "/p", "json": {"a": 1, "b": 2}}], "else": [{"post": "/p", "json": {"a": 1}}]}]);
    assert_eq!(requests, expected);
}

#[test]
fn what_is_not_known_is_left_out_with_its_line() {
    let imported = Imported::user(
        "unknown",
        "@task\ndef t(self):\n    self.client.get('/a')\n    self.client.get(pandas.x())\n    self.client.get('/b', proxies={})",
    );
    let imported = imported.in_part(&[
        "locustfile.py:8: a request is left out: GET request: the name pandas is not known here",
        "locustfile.py:9: proxies is left out; use --proxy",
    ]);
    assert_eq!(imported.task(0), &json!([{"get": "/a"}, {"get": "/b"}]));
}

#[test]
fn one_of_several_paths_is_a_url() {
    let requests = steps("paths", "self.client.get(random.choice(['/a', '/b/c']))");
    assert_eq!(requests, json!([{"get": "/${raw(choice(a,b/c))}"}]));
}
