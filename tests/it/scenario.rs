//! Scenario files: which are accepted, and how errors are reported. Nothing is sent here.

mod corpus;

use swarmline::plan::scenario::KEYS;

use crate::support::{Run, Scratch, load, target};

/// A scenario with one class, one task and one request; `more` are further keys, each followed by a comma.
fn scenario(more: &str, request: &str) -> String {
    format!(r#"{{{more} "user_classes": [{{"tasks": [{{"requests": [{request}]}}]}}]}}"#)
}

#[test]
fn a_dry_run_shows_an_example_of_each_request_and_sends_nothing() {
    let (target, scratch) = (target(), Scratch::new("dry-run"));
    scratch.write("accounts.csv", "name,password\namy,sesame-1\n");
    let file = scratch.write(
        "shop.json",
        r#"{"name": "shop", "headers": {"X-Api-Key": "sesame-2"},
            "variables": {"city": "Köln", "pin": {"env": "SWARMLINE_TEST_PIN"}},
            "data": {"account": {"csv": "accounts.csv"}},
            "user_classes": [{"name": "buyer", "wait": "1s",
              "on_start": [{"post": "/login", "form": {"n": "${account.name}", "password": "x", "pin": "${pin}"},
                            "extract": {"session_id": {"json": "/id"}, "id": {"json": "/id"}}}],
              "tasks": [{"name": "look", "weight": 2, "requests": [
                {"get": "/items/${id}?in=${city}&n=${random(7,7)}&p=${account.password}", "expect": {"within": "1s"}},
                {"post": "/x", "json": {"secret": {"deep": "sesame-3"}, "id": "${number(id)}", "p": "${pin}"},
                 "headers": {"Authorization": "Bearer ${session_id}", "Cookie": "a=sesame-4"}}]}],
              "on_stop": [{"get": "/bye"}]}]}"#,
    );
    let run = load(&target, ["--dry-run", "-f", &file]).env("SWARMLINE_TEST_PIN", "sesame-5").finish().exits(0);
    let text = run.text();
    for line in [
        "testplan shop, nothing is sent",
        "variable = pin=***",
        "variable = city=Köln",
        "users of class buyer: weight 1, wait 1s",
        "| POST /login HTTP/1.1",
        "| n=amy&password=***&pin=***",
        "task look, weight 2",
        "within 1s",
        "takes session_id, id",
        "| GET /items/${id}?in=K%C3%B6ln&n=7&p=*** HTTP/1.1",
        r#"| {"secret":***,"id":${id},"p":"***"}"#,
        "| Authorization: ***",
        "| Cookie: ***",
        "| X-Api-Key: ***",
        "| GET /bye HTTP/1.1",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("sesame") && run.stderr.is_empty(), "{text}\n{}", run.stderr);
    assert_eq!(target.requests() + target.connections(), 0);
}

#[test]
fn a_dry_run_shows_steps_as_an_indented_outline() {
    let scratch = Scratch::new("outline");
    let file = scratch.write(
        "steps.json",
        r#"{"host": "http://127.0.0.1:9", "setup": [{"set": {"password": "sesame", "round": 7}}],
            "user_classes": [{"name": "a", "fixed_count": 2, "tasks": [{"name": "t", "requests": [
              {"repeat": "1..5", "as": "i", "requests": [
                {"when": "${i} < 3", "requests": [{"get": "/${i}/${round}"}], "else": [{"leave": "loop"}]},
                {"append": {"ids": "n${i}"}}]},
              {"for_each": "ids", "as": "id", "requests": [{"pause": "1s..3s"}, {"set": {"ids": null}}]},
              {"until": "${id} == done", "every": "1s", "at_most": 20, "requests": [{"stop": "user"}]}]}]}],
            "teardown": [{"leave": "task"}]}"#,
    );
    let run = Run::new(["run", "--dry-run", "-f", &file, "-u", "2"]).finish().exits(0);
    let outline = [
        "setup, once before the first user",
        "  set password = ***",
        "  set round = 7",
        "",
        "users of class a: fixed count 2, wait 0",
        "  task t, weight 1",
        "    repeat 1..5, ${i} from 0",
        "      when ${i} < 3",
        "        GET /${i}/${round} at 127.0.0.1:9: timeout 30s, redirects 10, expects status below 400",
        "          | GET /${i}/${round} HTTP/1.1",
    ];
    let rest = [
        "      else",
        "        leave the loop",
        "      append to ids: n${i}",
        "    for each ${id} of ids",
        "      pause 1s..3s",
        "      unset ids",
        "    until ${id} == done, every 1s, at most 20 times",
        "      stop the user",
        "",
        "teardown, once after the last user",
        "  leave the task",
    ];
    for lines in [&outline[..], &rest[..]] {
        assert!(run.text().contains(&lines.join("\n")), "{lines:#?} is not in\n{}", run.text());
    }
}

#[test]
fn a_dry_run_of_a_command_line_shows_its_requests() {
    let run = Run::new(["run", "--dry-run", "--basic-auth", "amy:sesame", "-d", "p=sesame", "http://h/a", "PUT /b"]);
    let run = run.with(["-H", "http://h:81"]).finish().exits(0);
    let text = run.text();
    assert!(text.contains("| POST /a HTTP/1.1") && text.contains("| PUT /b HTTP/1.1"), "{text}");
    assert!(!text.contains("sesame") && text.contains("(8 bytes, sha256 "), "{text}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let scratch = Scratch::new("precedence");
    let more = r#""name": "file", "host": "http://127.0.0.1:9", "users": 5, "spawn_rate": 6, "run_time": "7s",
        "requests": 8, "seed": 9, "wait": "1s", "stop_timeout": "2s", "timeout": "3s", "connect_timeout": "4s",
        "redirects": 5, "insecure": true, "no_keepalive": true, "interval": "6s", "expect": {"status": "2xx"},"#;
    let file = scratch.write("f.json", scenario(more, r#"{"get": "/"}"#));
    let plain = Run::new(["run", "--dry-run", "-f", &file]).finish().exits(0);
    for line in [
        "users = 5 (file)",
        "spawn-rate = 6 (file)",
        "run-time = 7s (file)",
        "requests = 8 (file)",
        "seed = 9 (file)",
        "wait = 1s (file)",
        "stop-timeout = 2s (file)",
        "timeout = 3s (file)",
        "connect-timeout = 4s (file)",
        "max-redirects = 5 (file)",
        "insecure = true (file)",
        "no-keepalive = true (file)",
        "interval = 6s (file)",
        "expect-status = 2xx (file)",
        "testplan = file (file)",
        "host = 127.0.0.1:9 (file)",
        "request = GET / (file)",
        "dns-ttl = 60s (default)",
        "expects status 2xx",
    ] {
        assert!(plain.text().contains(line), "{line:?} is not in\n{}", plain.text());
    }
    let run = Run::new(["run", "--dry-run", "-u", "50", "--wait", "0", "--expect-status", "200", "--testplan", "t"]);
    let run = run.env("SWARMLINE_SCENARIO", &file).env("LOCUST_SPAWN_RATE", "60").env("LOCUST_HOST", "http://h:80");
    let run = run.finish().exits(0);
    for line in [
        "users = 50 (flag)",
        "spawn-rate = 60 (env)",
        "host = h (env)",
        "wait = 0 (flag)",
        "expect-status = 200 (flag)",
        "testplan = t (flag)",
        "timeout = 3s (file)",
        &format!("scenario = {file} (env)"),
        "| Host: h",
        "wait 0",
    ] {
        assert!(run.text().contains(line), "{line:?} is not in\n{}", run.text());
    }
}

#[test]
fn a_load_model_on_the_command_line_replaces_that_of_the_file_completely() {
    let scratch = Scratch::new("models");
    let host = r#""host": "http://127.0.0.1:9","#;
    let file = |name: &str, more: &str| scratch.write(name, scenario(&format!("{host}{more}"), r#"{"get": "/"}"#));
    let users = file("users.json", r#""users": 5, "spawn_rate": 6, "wait": "1s","#);
    let stages = file("stages.json", r#""stages": "1s:7","#);
    let rate = file("rate.json", r#""rate": 10, "arrival": "poisson","#);
    for (file, flags, there, not_there) in [
        (
            &users,
            &["--rate", "9"][..],
            &["rate = 9 (flag)", "users = 5 (file)", "wait = 0 (default)"][..],
            "spawn-rate",
        ),
        (&users, &["--stages", "1s:3"], &["stages = 1s:3 (flag)", "wait = 1s (file)"], "spawn-rate"),
        (&stages, &["-u", "3"], &["users = 3 (flag)"], "stages"),
        (&stages, &["-r", "3"], &["spawn-rate = 3 (flag)"], "stages"),
        (&stages, &["--rate", "3"], &["rate = 3 (flag)"], "stages"),
        (&rate, &["--stages", "1s:3"], &["rate = 10 (file)", "stages = 1s:3 (flag)", "poisson (file)"], "spawn-rate"),
        (&rate, &["-u", "3"], &["rate = 10 (file)", "users = 3 (flag)"], "spawn-rate"),
    ] {
        let run = Run::new(["run", "--dry-run", "-f", file]).with(flags.iter().copied()).finish().exits(0);
        assert!(there.iter().all(|line| run.text().contains(line)), "{flags:?}: {}", run.text());
        assert!(!run.text().contains(&format!("\n{not_there} = ")), "{flags:?}: {}", run.text());
    }
    for flags in [["--wait", "1s"], ["-r", "3"]] {
        let run = Run::new(["run", "--dry-run", "-f", &rate]).with(flags).finish().exits(2);
        assert!(run.complaint().contains("cannot be combined with --rate"), "{}", run.stderr);
    }
}

#[test]
fn settings_of_a_request_win_over_flags_and_file() {
    let scratch = Scratch::new("own");
    let more = r#""host": "http://127.0.0.1:9", "headers": {"Accept": "a/a", "X-One": "1", "User-Agent": null},
        "expect": {"status": 200, "within": "1s"}, "timeout": "9s","#;
    let request =
        r#"{"get": "/", "headers": {"x-one": "3"}, "timeout": "1s", "redirects": 0, "expect": {"status": 404}}"#;
    let file = scratch.write("f.json", scenario(more, request));
    let flags = ["--header", "X-One: 2", "--header", "X-Two: 2", "--timeout", "5s", "--expect-status", "2xx"];
    let run = Run::new(["run", "--dry-run", "-f", &file]).with(flags).finish().exits(0);
    let text = run.text();
    assert!(text.contains("timeout 1s, redirects 0, expects status 404, within 1s"), "{text}");
    assert!(text.contains("| x-one: 3") && text.contains("| Accept: a/a"), "{text}");
    assert!(text.contains("| X-Two: 2"), "{text}");
    assert!(!text.contains("| X-One") && !text.contains("| User-Agent"), "{text}");
}

#[test]
fn arguments_that_cannot_be_combined_with_a_scenario_are_refused() {
    let scratch = Scratch::new("not-with");
    let more = r#""host": "http://127.0.0.1:9","#;
    let file = scratch.write("f.json", scenario(more, r#"{"get": "/"}"#));
    for (arguments, words) in [
        (&["-f", &file, "/ok"][..], &["REQUEST: ", "--scenario"][..]),
        (&["-f", &file, "-d", "x"], &["--data: ", "--scenario"]),
        (&["-f", &file, "--json", "1"], &["--json: ", "--scenario"]),
        (&["-f", &file, "-X", "PUT"], &["--method: ", "--scenario"]),
        (&["-f", "locustfile.py"], &["-f locustfile.py: ", "convert it with swarmline import"]),
        (&["-f", "/dev/null"], &["/dev/null: it is empty"]),
        (&["-f", "/missing.json"], &["/missing.json: No such file"]),
        (&["-f", "/"], &["/: ", "directory"]),
        (&["-f", &file, "-T", "slow"], &["--tags: no task has the tag \"slow\""]),
        (&["-T", "slow", "http://h/"], &["--tags: works only with --scenario"]),
        (&["http://h/", "-E", "slow"], &["--exclude-tags: works only with --scenario"]),
    ] {
        let finished = Run::new(["run"]).with(arguments.iter().copied()).finish().exits(2);
        let line = finished.complaint();
        assert!(words.iter().all(|word| line.contains(word)), "{arguments:?}: {line}");
    }
}

#[test]
fn a_scenario_from_the_environment_is_named_where_it_conflicts() {
    let run = Run::new(["run", "http://127.0.0.1:9/"]).env("SWARMLINE_SCENARIO", "x.json").finish().exits(2);
    assert!(run.complaint().starts_with("REQUEST: ") && run.stderr.contains("SWARMLINE_SCENARIO"), "{}", run.stderr);
}

#[test]
fn the_output_of_import_is_accepted() {
    let scratch = Scratch::new("imported");
    let har = format!("{}/tests/corpus/import/shop.har", env!("CARGO_MANIFEST_DIR"));
    let imported = Run::new(["import", &har]).finish().exits(0);
    let file = scratch.write("imported.json", imported.text());
    let run = Run::new(["run", "--dry-run", "-f", &file]).env("X_API_KEY", "k").finish().exits(0);
    assert!(run.text().contains("users of class user"), "{}", run.text());
}

#[test]
fn tags_choose_tasks_as_in_locust() {
    let scratch = Scratch::new("tags");
    let task = |name: &str, tags: &str| format!(r#"{{"tags": [{tags}], "requests": [{{"get": "/{name}"}}]}}"#);
    let class = |name: &str, tags: &str, tasks: &[String]| {
        format!(r#"{{"name": "{name}", "tags": [{tags}], "tasks": [{}]}}"#, tasks.join(","))
    };
    let classes = [
        class("one", "", &[task("a", "\"x\""), task("b", "\"x\",\"slow\""), task("c", "")]),
        class("two", "\"x\"", &[task("d", ""), task("e", "\"slow\"")]),
        class("three", "", &[task("f", "\"z\"")]),
    ];
    let text = format!(r#"{{"host": "http://127.0.0.1:9", "user_classes": [{}]}}"#, classes.join(","));
    let file = scratch.write("f.json", text);
    for (flags, chosen) in [
        (&["-T", "x"][..], "abde"),
        (&["-T", "x", "-E", "slow"], "ad"),
        (&["-T", "z", "slow"], "bef"),
        (&["--tags", "z,slow"], "bef"),
        (&["-E", "slow", "z"], "acd"),
    ] {
        let run = Run::new(["run", "--dry-run", "-f", &file]).with(flags.iter().copied()).finish().exits(0);
        let found: String = "abcdef".chars().filter(|name| run.text().contains(&format!("| GET /{name} "))).collect();
        assert_eq!(found, chosen, "{flags:?}");
        // Only chosen requests are endpoints of the statistics.
        let request = run.text().lines().find(|line| line.starts_with("request = ")).unwrap().to_owned();
        assert_eq!(request.matches("GET").count(), chosen.len(), "{request}");
    }
    let by_env = Run::new(["run", "--dry-run", "-f", &file]).env("LOCUST_TAGS", "z slow").finish().exits(0);
    assert!(by_env.text().contains("tags = z slow (env)") && !by_env.text().contains("| GET /a "), "{}", by_env.text());
    for (flags, words) in
        [(["-T", "slwo"], "no task has the tag \"slwo\", did you mean \"slow\"?"), (["-E", "x,z"], "")]
    {
        let run = Run::new(["run", "--dry-run", "-f", &file]).with(flags).finish();
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let none = Run::new(["run", "--dry-run", "-f", &file, "-T", "z", "-E", "z"]).finish().exits(2);
    assert!(none.complaint().contains("exclude every task"), "{}", none.stderr);
}

#[test]
fn the_example_of_the_repository_is_accepted() {
    let root = env!("CARGO_MANIFEST_DIR");
    let run = Run::new(["run", "--dry-run", "-f", &format!("{root}/examples/shop.json")]).finish().exits(0);
    assert!(run.text().contains("testplan shop"), "{}", run.text());
}

#[test]
fn the_command_prints_the_schema_of_scenarios() {
    let printed = Run::new(["schema", "--scenario"]).finish().exits(0);
    assert_eq!(printed.text(), swarmline::plan::scenario::SCHEMA);
    let schema: serde_json::Value = serde_json::from_str(printed.text()).unwrap();
    let own: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(own.len(), KEYS.len());
}
