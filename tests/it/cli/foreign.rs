//! Flags of other tools: each is ours, or is refused with what to do here.

use std::collections::BTreeSet;
use std::ffi::OsString;

use swarmline::cli::{self, Variables};

use crate::support::{load, target};

const LOCUST: &str = include_str!("../../corpus/flags/locust.txt");
const TOOLS: &str = include_str!("../../corpus/flags/tools.txt");

/// The flags of a list, without the names of tools.
fn flags(list: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit('\t').next().unwrap())
}

/// Our flags of `run`, with their dashes.
fn ours() -> BTreeSet<String> {
    let definition = cli::command_line();
    let run = definition.find_subcommand("run").unwrap();
    let names = run.get_arguments().flat_map(|flag| {
        let long = flag.get_long_and_visible_aliases().into_iter().flatten().map(|name| format!("--{name}"));
        let short = flag.get_short().map(|name| format!("-{name}"));
        long.chain(short).collect::<Vec<_>>()
    });
    names.collect()
}

fn complaint(flag: &str) -> String {
    let line = ["swarmline", "run", flag, "http://127.0.0.1:9/"].map(OsString::from);
    match cli::parse(line, Variables::Ignored) {
        Ok(_) => panic!("{flag} is accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_flag_of_another_tool_is_ours_or_refused_with_what_to_do() {
    let ours = ours();
    let all: BTreeSet<&str> = flags(LOCUST).chain(flags(TOOLS)).collect();
    assert!(all.len() > 180, "{}", all.len());
    let foreign = all.into_iter().filter(|flag| !ours.contains(*flag) && !matches!(*flag, "-h" | "--help" | "--json"));
    let (mut unanswered, mut answered) = (Vec::new(), 0);
    for flag in foreign {
        let complaint = complaint(flag);
        let hint = complaint.strip_prefix(flag).and_then(|rest| rest.strip_prefix(": "));
        if hint.is_some_and(|hint| !hint.is_empty() && !hint.contains("unknown flag")) {
            answered += 1;
        } else {
            unanswered.push(complaint);
        }
    }
    assert!(unanswered.is_empty(), "{}", unanswered.join("\n"));
    assert!(answered > 100, "{answered}");
}

#[test]
fn an_answer_names_only_flags_that_there_are() {
    let ours = ours();
    for flag in flags(LOCUST).chain(flags(TOOLS)).filter(|flag| !ours.contains(*flag)) {
        let complaint = if matches!(flag, "-h" | "--help") { continue } else { complaint(flag) };
        let (_, hint) = complaint.split_once(": ").unwrap();
        let words = hint.split(|char: char| !char.is_ascii_alphanumeric() && char != '-' && char != '_');
        for word in words.filter(|word| word.starts_with('-') && word.len() > 1) {
            assert!(ours.contains(word) || word == "--version", "{word} in {complaint}");
        }
    }
}

#[test]
fn flags_that_would_be_read_as_others_are_refused() {
    for (arguments, words) in [
        (&["-duration=5s", "/ok"][..], "-duration: use -t TIME"),
        (&["-rate", "50", "/ok"], "-rate: long flags begin with two dashes; use --rate"),
        (&["-u", "1", "-timeout=5s", "/ok"], "-timeout: long flags begin with two dashes; use --timeout"),
        (&["-d", "30s", "/ok"], "-d: is the body here; use -t TIME for the duration"),
        (&["-d10m", "/ok"], "-d: is the body here"),
        (&["-q", "100", "/ok"], "request \"100\": is neither a URL nor a path; -q and -k take no value"),
    ] {
        let target = target();
        let finished = load(&target, arguments.iter().copied()).finish().exits(2);
        assert!(finished.complaint().starts_with(words), "{arguments:?}: {}", finished.stderr);
    }
    let target = target();
    for body in [&["-d", "-duration"][..], &["--data", "30s"], &["-d30 s"], &["-ds"], &["--json", "7"]] {
        load(&target, [body, &["-n", "1", "/echo"]].concat()).finish().exits(0);
    }
    assert_eq!(target.requests(), 5, "values that look like flags");
}

#[test]
fn an_expression_in_a_flag_is_refused_and_can_be_sent_literally() {
    let target = target();
    for (arguments, start) in [
        (&["--header", "traceparent: 00-${uuid}-01", "/ok"][..], "--header: ${uuid} works in scenario files only"),
        (&["/items/${random(1,9)}"], "request \"/items/${random(1,9)}\": ${random(1,9)} works in scenario files only"),
        (&["-d", "a=${x}", "/ok"], "--data: ${x} works in"),
        (&["--json", "{\"a\": \"${x}\"}", "/ok"], "--json: ${x} works in"),
        (&["--basic-auth", "amy:${PASSWORD}", "/ok"], "--basic-auth: ${PASSWORD} works in"),
    ] {
        let finished = load(&target, arguments.iter().copied()).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with(start) && line.contains("; to send it as it is, write $${"), "{line}");
    }
    assert_eq!(target.requests() + target.connections(), 0);
    let server = crate::server::Server::responding(crate::server::OK);
    let arguments = ["-n", "1", "--header", "X: $${uuid} ${", "-d", "{\"a\": \"$${x}\"}", "/$${y}"];
    crate::process::run(&server, &arguments).exits(0);
    let request = server.requests().remove(0);
    assert_eq!(request.line(), "POST /$%7By%7D", "a brace is not allowed in a request line");
    assert_eq!((request.header("x"), &*request.body), (Some("${uuid} ${"), &b"{\"a\": \"${x}\"}"[..]));
}

#[test]
fn a_missing_file_is_named_with_its_flag() {
    let target = target();
    for (arguments, named) in [
        (&["-f", "/missing.json"][..], "--scenario /missing.json"),
        (&["--data", "@/missing", "/ok"], "--data @/missing"),
        (&["--json", "@/missing", "/ok"], "--json @/missing"),
        (&["@/missing"], "REQUEST @/missing"),
        (&["--cacert", "/missing", "/ok"], "--cacert /missing"),
        (&["--cert", "/missing", "/ok"], "--cert /missing"),
    ] {
        let finished = load(&target, arguments.iter().copied()).finish().exits(2);
        let expected = format!("{named}: No such file or directory (os error 2)");
        assert_eq!(finished.complaint(), expected);
    }
    let from_variable = load(&target, ["-n", "1"]).env("SWARMLINE_SCENARIO", "/missing.json").finish().exits(2);
    assert!(from_variable.complaint().starts_with("SWARMLINE_SCENARIO /missing.json: No such file"));
}
