//! Postman collections: what becomes of their requests, variables, authorization and scripts.

use serde_json::{Value, json};

use super::import;
use crate::support::{Run, Scratch};

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// Imports a collection of these items, with further members; returns the scenario, stderr and the exit code.
fn imported(scratch: &Scratch, items: &Value, more: &[(&str, Value)], flags: &[&str]) -> (Value, String, i32) {
    let mut collection = json!({"info": {"name": "Shop", "schema": SCHEMA}, "item": items});
    for (name, value) in more {
        collection[*name] = value.clone();
    }
    let file = scratch.write("collection.json", collection.to_string());
    let finished = import(&[flags, &[&file]].concat());
    let scenario = serde_json::from_slice(&finished.stdout).unwrap_or(Value::Null);
    (scenario, finished.stderr.clone(), finished.code)
}

fn steps(scenario: &Value) -> &Value {
    &scenario["user_classes"][0]["tasks"][0]["requests"]
}

fn item(name: &str, request: &Value) -> Value {
    json!({"name": name, "request": request})
}

fn corpus(name: &str) -> String {
    format!("{}/tests/corpus/postman/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn folders_become_one_task_whose_requests_keep_their_order_and_names() {
    let finished = import(&[&corpus("addresses")]).exits(0);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(scenario["host"], "${baseUrl}");
    assert_eq!(scenario["variables"]["baseUrl"], "http://127.0.0.1:18080");
    let requests = steps(&scenario).as_array().unwrap();
    let names: Vec<&str> = requests.iter().map(|request| request["name"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[8], names[9]), ("text", "inner", "innermost"));
    assert_eq!(requests[0]["get"], "/text?x=1&y=${plain}", "the fragment is not sent");
    assert_eq!(requests[1]["get"], "/items/7?page=2&q=${raw(word)}&flag&empty=", "a disabled field is not sent");
    assert_eq!(requests[2]["get"], "/users/${plain}/orders/9/:none");
    assert_eq!(requests[3]["get"], "/files/${raw(sub)}/x", "a slash in a value stays one, as in Postman");
    assert_eq!(requests[7]["headers"], json!({"X-One": "1 ${plain}", "Accept": "text/plain"}));
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
}

#[test]
fn the_environment_wins_over_the_collection_and_that_over_the_globals() {
    let flags = ["--environment", &corpus("variables.environment"), "--environment", &corpus("variables.globals")];
    let finished = import(&[&flags[..], &[&corpus("variables")]].concat()).exits(0);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let expected = json!({
        "a": "environment", "b": "collection", "g": "global", "baseUrl": "http://127.0.0.1:18080", "c": "<nested>",
        "d": "nested", "scheme": "http",
    });
    assert_eq!(scenario["variables"], expected);
}

#[test]
fn variables_without_a_value_are_read_from_the_environment_and_named() {
    let scratch = Scratch::new("postman-open");
    let items = json!([item("a", &json!({"url": "{{base}}/x/{{id}}?u={{user}}"})), item("b", &json!("{{base}}/y"))]);
    let (scenario, stderr, code) = imported(&scratch, &items, &[], &[]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(scenario["host"], "${base}");
    assert_eq!(
        scenario["variables"],
        json!({"base": {"env": "BASE"}, "id": {"env": "ID"}, "user_2": {"env": "MY_USER"}})
    );
    assert_eq!(steps(&scenario)[0]["get"], "/x/${raw(id)}?u=${raw(user_2)}");
    assert!(stderr.contains("a: {{base}}: has no value; set BASE to it before the run"), "{stderr}");
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
}

#[test]
fn dynamic_variables_become_expressions() {
    let scratch = Scratch::new("postman-dynamic");
    let url = "http://h.test/?a={{$guid}}&b={{$timestamp}}&c={{$randomInt}}&d={{$randomFunny}}";
    let (scenario, stderr, code) = imported(&scratch, &json!([item("a", &json!(url))]), &[], &[]);
    assert_eq!(steps(&scenario)[0]["get"], "/?a=${uuid}&b=${now(%s)}&c=${random(0,1000)}&d=${text(8)}");
    assert_eq!(
        (code, stderr.as_str()),
        (1, "swarmline: import: a: {{$randomFunny}}: not known, a random text is sent in its place\n")
    );
}

#[test]
fn authorization_is_inherited_and_secrets_are_left_out() {
    let finished = import(&[&corpus("authorization")]).exits(0);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let headers: Vec<&Value> = steps(&scenario).as_array().unwrap().iter().map(|request| &request["headers"]).collect();
    assert_eq!(*headers[0], json!({"Authorization": "Bearer ${secretToken}"}));
    assert_eq!(*headers[1], Value::Null, "noauth ends the inheritance");
    assert_eq!(*headers[2], json!({"Authorization": "${env.AUTHORIZATION}"}));
    assert_eq!(*headers[3], json!({"X-Api-Key": "${env.X_API_KEY}"}));
    assert_eq!(steps(&scenario)[4]["get"], "/query?a=1&api_key=${raw(API_KEY)}");
    assert_eq!(
        *headers[5],
        json!({"Authorization": "Bearer ${secretToken}"}),
        "like Postman, over the request's own header"
    );
    let text = String::from_utf8_lossy(&finished.stdout);
    for secret in ["t-1", "k-1", "k-2", "YW15", "pass word", "Bearer own"] {
        assert!(!text.contains(secret) && !finished.stderr.contains(secret), "{secret}: {text}");
    }
    for other in ["oauth1", "digest", "awsv4", "hawk", "ntlm"] {
        let scratch = Scratch::new(&format!("postman-auth-{other}"));
        let items = json!([item("a", &json!({"url": "http://h.test/", "auth": {"type": other}}))]);
        let (_, stderr, code) = imported(&scratch, &items, &[], &[]);
        assert_eq!((code, stderr), (1, format!("swarmline: import: a: authorization by {other}: left out\n")));
    }
}

#[test]
fn bodies_of_every_mode_are_taken_over() {
    let finished = import(&[&corpus("bodies")]).exits(0);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let requests = steps(&scenario).as_array().unwrap();
    let body = |at: usize, key: &str| requests[at][key].clone();
    assert_eq!(body(0, "json"), json!({"id": "${id}", "n": 1.10, "name": "${name}", "list": [1, {"a": null}]}));
    assert_eq!(
        (body(1, "body"), body(1, "headers")),
        (json!("{\"id\": ${id}}"), json!({"Content-Type": "application/json"}))
    );
    assert_eq!((body(2, "body"), body(2, "headers")), (json!("plain ${name}"), json!({"Content-Type": "text/plain"})));
    assert_eq!(body(5, "form"), json!({"a": "1 2&3", "name": "${name}", "empty": ""}));
    assert_eq!(body(6, "body"), "a=1&a=2&b=7");
    let parts = json!([
        {"name": "title", "value": "A ${name}"},
        {"name": "photo", "file": "photo.txt"},
        {"name": "meta", "value": "{\"a\":1}", "content_type": "application/json"},
    ]);
    assert_eq!(body(7, "multipart"), parts);
    let query = "query Q($id: ID!) { item(id: $id) { name } }";
    assert_eq!(body(8, "json"), json!({"query": query, "variables": {"id": "${id}"}}));
    assert_eq!((body(9, "body_file"), body(9, "headers")), (json!("photo.txt"), json!({"Content-Type": "text/plain"})));
    assert_eq!((body(10, "body"), body(11, "body")), (Value::Null, json!("sent")));
    assert_eq!(body(12, "body"), Value::Null, "a disabled body");
}

#[test]
fn a_variable_that_would_change_the_structure_of_json_is_pasted_as_postman_does() {
    let scratch = Scratch::new("postman-json");
    let body = json!({"mode": "raw", "raw": "{\"a\": \"{{x}}\"}", "options": {"raw": {"language": "json"}}});
    let items = json!([item("a", &json!({"method": "POST", "url": "http://h.test/", "body": body}))]);
    let variables = json!([{"key": "x", "value": "1\", \"b\": \"2"}]);
    let (scenario, stderr, _) = imported(&scratch, &items, &[("variable", variables)], &[]);
    assert_eq!(steps(&scenario)[0]["body"], "{\"a\": \"${x}\"}", "{stderr}");
}

#[test]
fn simple_scripts_are_translated_and_all_others_named_with_their_line() {
    let finished = import(&[&corpus("scripts")]).exits(1);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let requests = steps(&scenario);
    assert_eq!(requests[0], json!({"set": {"trace": "trace-1"}}));
    assert_eq!(requests[1]["expect"], json!({"status": 200, "within": "5000ms"}));
    let extract = json!({"token": {"json": "/token"}, "first": {"json": "/items/0/id"}, "type": {"header": "X-Type"}});
    assert_eq!(requests[1]["extract"], extract);
    assert_eq!(requests[2]["get"], "/items/${raw(first)}?type=${raw(type)}");
    assert_eq!(requests[3]["expect"], json!({"status": "2xx", "within": "5000ms"}));
    assert_eq!(finished.stderr, "swarmline: import: Not translated: test script, line 1: left out\n");
}

#[test]
fn a_variable_that_a_script_sets_begins_with_its_value_of_the_environment() {
    let scratch = Scratch::new("postman-initial");
    let script = json!([{"listen": "test", "script": {"exec": "pm.environment.set('page', pm.response.json().next)"}}]);
    let mut items = json!([item("a", &json!("http://h.test/?page={{page}}"))]);
    items[0]["event"] = script;
    let environment = json!({"name": "e", "values": [{"key": "page", "value": "1", "enabled": true}]});
    let file = scratch.write("environment.json", environment.to_string());
    let (scenario, stderr, code) = imported(&scratch, &items, &[], &["--environment", &file]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(scenario["user_classes"][0]["on_start"], json!([{"set": {"page": "1"}}]));
}

#[test]
fn settings_of_the_protocol_are_taken_over_or_named() {
    let scratch = Scratch::new("postman-behavior");
    let behavior = json!({"followRedirects": false, "disableUrlEncoding": true, "strictSSL": false});
    let mut items = json!([item("a", &json!("http://h.test/")), item("b", &json!("http://h.test/"))]);
    items[0]["protocolProfileBehavior"] = behavior;
    let (scenario, stderr, code) =
        imported(&scratch, &items, &[("protocolProfileBehavior", json!({"maxRedirects": 3}))], &[]);
    assert_eq!((&steps(&scenario)[0]["redirects"], &steps(&scenario)[1]["redirects"]), (&json!(0), &json!(3)));
    assert!(code == 1 && stderr.contains("a: disableUrlEncoding") && stderr.contains("a: strictSSL"), "{stderr}");
}

#[test]
fn what_import_prints_a_dry_run_accepts() {
    let scratch = Scratch::new("postman-accepted");
    for name in ["addresses", "version-2.0", "authorization", "bodies", "variables", "scripts", "redirects"] {
        let printed = import(&[&corpus(name)]);
        let text = String::from_utf8(printed.stdout.clone()).unwrap();
        let path = scratch.write("scenario.json", &text);
        scratch.write("photo.txt", "x");
        let mut dry_run = Run::new(["run", "--dry-run", "-f", &path]);
        for name in ["AUTHORIZATION", "AUTHORIZATION_2", "X_API_KEY", "API_KEY", "SECRETTOKEN", "G", "TYPE"] {
            dry_run = dry_run.env(name, "x");
        }
        dry_run.finish().exits(0);
    }
}

#[test]
fn a_file_that_is_not_a_collection_is_refused_with_one_line() {
    let scratch = Scratch::new("postman-refused");
    let deep = format!("{{\"item\": {}{}}}", "[".repeat(500), "]".repeat(500));
    let long = format!("{{\"item\": [\"{}\"]}}", "x".repeat(17 * 1024 * 1024));
    let info = |schema: &str| json!({"info": {"schema": schema}, "item": []}).to_string();
    let cases = [
        (json!({"requests": [], "order": []}).to_string(), "v1; export it"),
        (json!({"values": [], "_postman_variable_scope": "environment"}).to_string(), "--environment"),
        (json!({"collections": [], "environments": []}).to_string(), "data dump"),
        (info("https://schema.getpostman.com/json/collection/v3.0.0/"), "/info/schema"),
        (info(SCHEMA), "contains no request"),
        (json!({"info": {"schema": SCHEMA}}).to_string(), "/item: missing"),
        (deep, "not JSON"),
        (long, "longer than 16 MiB"),
        ("{\"item\": [}".to_owned(), "line 1"),
    ];
    for (at, (text, why)) in cases.iter().enumerate() {
        let file = scratch.write(&format!("{at}.json"), text);
        let refused = import(&[&file]).exits(2);
        assert!(refused.stderr.lines().count() == 1 && refused.stderr.contains(why), "{why}: {}", refused.stderr);
        assert!(refused.stdout.is_empty());
    }
    let collection = scratch.write("c.json", info(SCHEMA));
    for (text, why) in [("{}", "/values: missing"), ("{", "not JSON")] {
        let file = scratch.write("e.json", text);
        let refused = import(&["--environment", &file, &collection]).exits(2);
        assert!(refused.stderr.contains("--environment") && refused.stderr.contains(why), "{}", refused.stderr);
    }
    let refused = import(&[&collection, "--environment", "missing"]).exits(2);
    assert!(refused.stderr.contains("--environment missing: No such file"), "{}", refused.stderr);
}

#[test]
fn variables_that_mention_themselves_end() {
    let scratch = Scratch::new("postman-circle");
    let variables = json!([{"key": "a", "value": "{{b}}{{b}}"}, {"key": "b", "value": "{{a}}{{a}}"}]);
    let items = json!([item("x", &json!("http://h.test/?a={{a}}"))]);
    let (_, stderr, code) = imported(&scratch, &items, &[("variable", variables)], &[]);
    assert!(code == 1 && stderr.contains("x: {{b}}: its value mentions itself"), "{stderr}");
}

#[test]
fn a_header_given_twice_is_sent_once_with_both_values_and_reported() {
    let scratch = Scratch::new("postman-twice");
    let twice = json!([{"key": "X-Tag", "value": "a"}, {"key": "x-tag", "value": "b"}]);
    let request = json!({"method": "GET", "url": "http://h.test/", "header": twice});
    let (scenario, said, code) = imported(&scratch, &json!([item("one", &request)]), &[], &[]);
    assert_eq!(steps(&scenario)[0]["headers"], json!({"X-Tag": "a, b"}));
    assert!(said.contains("header X-Tag: is given several times; the values are sent in one field"), "{said}");
    assert_eq!(code, 1);
}
