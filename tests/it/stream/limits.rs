//! Long and numerous values stay within the limit of a line, and nothing is lost.

use crate::support::{Run, Scratch, host, load, target};

#[test]
fn long_texts_are_cut_and_stay_distinct() {
    let (target, scratch) = (target(), Scratch::new("long"));
    let path = |end: &str| format!("/{}{end}", "p".repeat(10_000));
    let list = scratch.write("list", format!("{}\n{}\nPOST {}\n", path("a"), path("b"), path("a")));
    let requests = format!("@{list}");
    let header = format!("X-Long: {}", "h".repeat(8_000));
    let odd = format!("/{}", "%22\"\\é".repeat(300));
    let flags = ["-n", "200", "--header", &header, "--testplan", "a \"b\" \\c\\ é", &requests, &odd];
    let stream = load(&target, flags).finish().exits(1).stream();
    let endpoints = stream.of("stats endpoint success");
    assert_eq!(endpoints.len(), 4, "two long names that differ at their end stay two");
    assert!(endpoints.iter().all(|endpoint| endpoint.text("name").contains('…')));
    assert_eq!(stream.last().count("num_requests"), target.requests());
    let (setting, _) = stream.setting("header").unwrap();
    assert!(setting.contains("bytes, sha256 "), "{setting}");
}

#[test]
fn many_settings_are_split_over_several_lines() {
    let target = target();
    let headers: Vec<String> = (0..12).map(|n| format!("X-{n}: {}", "\"".repeat(900))).collect();
    let headers = headers.iter().flat_map(|header| ["--header", header]);
    let stream = load(&target, ["-n", "1", "/ok"]).with(headers).finish().exits(0).stream();
    let parts = stream.of("config");
    assert!(parts.len() > 2, "{} parts", parts.len());
    assert!(parts[0].0["telemetry"]["targets"].is_array());
    assert!(parts[1].0["telemetry"].get("targets").is_none(), "the targets are listed once");
    let settings = parts.iter().map(|part| part.get("settings").as_array().unwrap().len()).sum::<usize>();
    assert!(settings > 12 + 10, "{settings}: all headers and the other settings");
}

#[test]
fn many_and_long_targets_fit_a_line() {
    let target = target();
    let port = target.addr().port();
    let long = format!("{}.test", "a.b-".repeat(55));
    let names: Vec<String> = (0..10).map(|n| format!("{n}{long}")).collect();
    let addresses: Vec<String> = (1..=8).map(|n| format!("127.1.1.{n}")).collect();
    let resolve = names.iter().map(|name| format!("{name}:{port}:127.0.0.1,{}", addresses.join(",")));
    let resolve: Vec<String> = resolve.collect();
    let urls: Vec<String> = names.iter().map(|name| format!("http://{name}:{port}/ok")).collect();
    let flags = resolve.iter().flat_map(|entry| ["--resolve", entry]).chain(urls.iter().map(String::as_str));
    let stream = Run::new(["run", "-n", "10", "--run-id", &"r".repeat(64)]).with(flags).finish().exits(0).stream();
    assert!(!stream.of("config")[0].get("targets").as_array().unwrap().is_empty());

    // No DNS name may be that long, but a URL may contain it.
    let endless = format!("http://{}.test:{port}/ok", "a".repeat(5_000));
    Run::new(["run", "-n", "1", &endless]).finish().exits(4).stream();
}

#[test]
fn a_long_test_plan_is_cut_at_128_bytes() {
    let target = target();
    for filler in ["t", "é", "\"", "\u{1}"] {
        let name = filler.repeat(1_000);
        let stream = load(&target, ["-n", "1", "--testplan", &name, "/ok"]).finish().exits(0).stream();
        let testplan = stream.0[0].text("testplan");
        // Stream::parse checks that it has at most 128 bytes in JSON.
        assert!(testplan.starts_with(filler) && testplan.contains('…'), "{testplan}");
    }
}

#[test]
fn endpoints_beyond_a_thousand_are_counted_together() {
    let (target, scratch) = (target(), Scratch::new("endpoints"));
    let list: Vec<String> = (0..1_100).map(|n| format!("/ok?n={n}")).collect();
    let list = format!("@{}", scratch.write("list", list.join("\n")));
    // Requests are chosen at random: 0.3 of all remain unused on average, and 100 practically never.
    let flags = ["-n", "9000", "-u", "4", "-r", "1000", &list];
    let stream = load(&target, flags).finish().exits(0).stream();
    let endpoints = stream.of("stats endpoint success");
    assert_eq!(endpoints.len(), 1_001);
    let (other, own) = endpoints.split_last().unwrap();
    assert_eq!((other.text("name"), other.text("method")), ("other", ""));
    assert!(own.iter().all(|endpoint| endpoint.text("name").starts_with("/ok?n=")));
    assert_eq!(stream.last().count("num_requests"), 9_000, "and Stream::parse checks that all lines add up to that");
    assert_eq!(target.requests_to("ok"), 9_000);
    assert_eq!(stream.warnings(), ["coarse_endpoints", "other_endpoints"], "each reported once");
    assert_eq!(stream.of("warning")[0].0["level"], "WARNING");
}

#[test]
fn requests_are_read_from_a_file_or_standard_input() {
    let (target, scratch) = (target(), Scratch::new("list"));
    let text = "\n# a comment\n/ok\n  POST /echo  \r\n";
    let from_file = format!("@{}", scratch.write("list", text));
    for run in [load(&target, ["-n", "30", &from_file]), load(&target, ["-n", "30", "-"]).input(text)] {
        let stream = run.finish().exits(0).stream();
        let mut endpoints: Vec<_> =
            stream.of("stats endpoint success").iter().map(|e| (e.text("method"), e.text("name"))).collect();
        endpoints.sort_unstable();
        assert_eq!(endpoints, [("GET", "/ok"), ("POST", "/echo")]);
    }
    let other = format!("{}/ok", host(&crate::support::target()));
    let refused = load(&target, ["-n", "1", &other]).finish().exits(4).stream();
    let name = refused.only("stats endpoint success").text("name").to_owned();
    assert!(name.ends_with("/ok") && name.starts_with("127.0.0.1:"), "another host is named: {name}");
}
