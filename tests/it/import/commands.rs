//! curl commands that once became something else, silently. What curl itself sends is held against import in tests/e2e.

use serde_json::{Value, json};

use crate::support::{Finished, Run, Scratch};

fn import(words: &[&str]) -> Finished {
    Run::new(["import"]).with(words.iter().copied()).finish()
}

/// The scenario of a text, and what was said about it.
fn scenario(text: &str, code: i32) -> (Value, String) {
    let finished = import(&[text]).exits(code);
    (serde_json::from_slice(&finished.stdout).expect("a scenario"), finished.stderr.clone())
}

/// The requests of a text with which nothing is lost.
fn requests(text: &str) -> Value {
    scenario(text, 0).0["user_classes"][0]["tasks"][0]["requests"].clone()
}

#[test]
fn the_host_of_a_header_field_is_sent() {
    let (scenario, said) = scenario(include_str!("../../corpus/commands/curl-host-header.sh"), 0);
    assert_eq!(scenario["host"], "http://127.0.0.1:8080");
    let requests = &scenario["user_classes"][0]["tasks"][0]["requests"];
    assert_eq!((requests, &*said), (&json!([{"get": "/", "headers": {"Host": "shop.example.com"}}]), ""));
}

#[test]
fn fields_in_quotes_are_a_form() {
    let (scenario, said) = scenario(include_str!("../../corpus/commands/curl-postman-form.sh"), 0);
    let parts = json!([{"name": "token", "value": "abc"}, {"name": "name", "value": "x"}]);
    let request = &scenario["user_classes"][0]["tasks"][0]["requests"][0];
    assert_eq!((request, &scenario["redirects"]), (&json!({"post": "/upload", "multipart": parts}), &json!(50)));
    assert!(said.contains("the value of token in its body is kept"), "{said}");
}

#[test]
fn the_value_of_an_option_is_not_the_url() {
    let (scenario, said) = scenario(include_str!("../../corpus/commands/curl-retry-delay.sh"), 1);
    assert_eq!(scenario["host"], "http://127.0.0.1:8080");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("import: --retry-delay 2: left out, a request that fails is counted"), "{said}");
}

#[test]
fn redirects_are_followed_only_if_curl_does() {
    let redirects = |text: &str| scenario(text, 0).0["redirects"].clone();
    assert_eq!(redirects("curl h.test"), 0);
    assert_eq!(redirects("curl -L h.test"), 50);
    assert_eq!(redirects("curl --location --max-redirs 3 h.test"), 3);
    assert_eq!(redirects("curl -L --max-redirs -1 h.test"), 1000);
    let both = requests("curl h.test/1; curl -L h.test/2");
    assert_eq!(both, json!([{"get": "/1", "redirects": 0}, {"get": "/2", "redirects": 50}]));
}

#[test]
fn settings_of_all_requests_stand_on_top() {
    let (whole, _) = scenario("curl -k --connect-timeout 2 h.test", 0);
    assert_eq!((&whole["insecure"], &whole["connect_timeout"]), (&json!(true), &json!("2s")));
    let (part, said) = scenario("curl -k h.test; curl h.test", 1);
    assert_eq!(part["insecure"], true);
    assert!(said.contains("-k: not the same for all commands"), "{said}");
}

#[test]
fn what_is_said_names_the_command_of_several() {
    let (_, said) = scenario("curl h.test\ncurl --retry 3 h.test", 1);
    assert_eq!(
        said,
        "swarmline: import: command 2: --retry 3: left out, a request that fails is counted and not sent again\n"
    );
}

#[test]
fn secrets_are_not_said() {
    for text in [
        "-U amy:s3cret",
        "--pass s3cret",
        "--proxy-header 's3cret'",
        "--cert f.pem:s3cret",
        "-x http://a:s3cret@p",
        "-u amy:s3cret",
        "-H 'Authorization: s3cret'",
        "-H 'a b: s3cret'",
        "-d 'password=s3cret'",
        "-b 's3cret=1'",
    ] {
        let finished = import(&[&format!("curl {text} h.test")]);
        assert!(finished.code < 2 && !finished.stderr.contains("s3cret"), "{text}: {}", finished.stderr);
    }
}

#[test]
fn flags_of_import_may_stand_behind_its_input() {
    for words in [
        &["curl -u a:b h.test", "--keep-secrets"][..],
        &["curl", "-u", "a:b", "h.test", "--keep-secrets"],
        &["--keep-secrets", "curl", "-u", "a:b", "h.test"],
    ] {
        let finished = import(words).exits(0);
        let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
        let request = &scenario["user_classes"][0]["tasks"][0]["requests"][0];
        assert_eq!(request["headers"]["Authorization"], "Basic YTpi", "{words:?}");
    }
}

#[test]
fn variables_of_the_shell_are_those_of_the_environment() {
    let text = "curl \"http://$SHOP/items/${ID}?q=$Q\" -H \"Authorization: Bearer $TOKEN\" -d \"{\\\"id\\\": $ID}\"";
    let (scenario, said) = scenario(text, 0);
    assert_eq!(scenario["host"], "http://${env.SHOP}");
    let request = &scenario["user_classes"][0]["tasks"][0]["requests"][0];
    assert_eq!(request["post"], "/items/${raw(env.ID)}?q=${raw(env.Q)}", "as it is, like curl");
    assert_eq!(request["headers"]["Authorization"], "Bearer ${env.TOKEN}");
    assert_eq!(request["body"], "{\"id\": ${env.ID}}");
    assert_eq!(said.lines().count(), 4, "each is said once: {said}");
    assert_eq!(requests("curl h.test -d '${y}'")[0]["body"], "$${y}", "in single quotes it is text");
    let (scenario, said) = self::scenario("curl $BASE/x", 0);
    assert_eq!(scenario["host"], "${env.BASE}");
    assert!(said.contains("$BASE: its value must begin with http:// or https://"), "{said}");
}

#[test]
fn files_of_a_command_are_read_only_where_their_text_is_needed() {
    let scratch = Scratch::new("import-read");
    let (with_breaks, plain) = (scratch.write("breaks.txt", "a\nb"), scratch.write("plain.txt", "c"));
    let body = |words: &str| requests(&format!("curl {words} h.test"))[0].clone();
    assert_eq!(body(&format!("-d @{plain}"))["body_file"], *plain);
    assert_eq!(body(&format!("--data-binary @{with_breaks}"))["body_file"], *with_breaks);
    assert_eq!(body(&format!("-d @{with_breaks}"))["body"], "ab");
    assert_eq!(body(&format!("-d x -d @{with_breaks} -d y"))["body"], "x&ab&y");
    assert_eq!(body(&format!("-F f=@{plain}"))["multipart"], json!([{"name": "f", "file": plain}]));
    assert_eq!(body("-T missing/f.txt"), json!({"put": "/f.txt", "body_file": "missing/f.txt"}));
    let (_, said) = scenario("curl -d x -d @/dev/zero h.test", 1);
    assert!(said.contains("-d @FILE: left out, it is not a file"), "{said}");
}

#[test]
fn a_command_that_curl_would_refuse_does_not_cost_the_others() {
    let text = "curl http://h.test/a\ncurl --no-such-option http://h.test/b\ncurl http://h.test/c";
    let (scenario, said) = scenario(text, 1);
    let requests = &scenario["user_classes"][0]["tasks"][0]["requests"];
    assert_eq!(requests, &json!([{"get": "/a"}, {"get": "/c"}]));
    assert!(said.contains("command 2: left out: curl --no-such-option: is not an option of curl"), "{said}");
    let refused = import(&["curl -Z http://h.test/{ ; curl --nothing http://h.test/"]).exits(2);
    assert!(refused.stderr.contains("URL \"http://h.test/{\": has a { without its }"), "{}", refused.stderr);
}
