//! What log pipelines make of a stream is read as the stream: line ends, labels, keys in another order, lines within texts of
//! their own JSON. What holds many lines in one is refused, with the way to export it.

use serde_json::{Value, json};

use crate::merge::merge;
use crate::support::{Finished, Run, Scratch};

/// A recorded run.
const ALONE: &str = include_str!("../corpus/streams/alone.ndjson");

/// Recorded streams of three shards.
const SHARDS: [&str; 3] = [
    include_str!("../corpus/streams/shard-0.ndjson"),
    include_str!("../corpus/streams/shard-1.ndjson"),
    include_str!("../corpus/streams/shard-2.ndjson"),
];

/// What becomes of a line on the way.
type Transport = (&'static str, fn(&str) -> String);

/// As JSON has a text.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// With a blank behind each colon and comma, as Python's `json.dumps` writes, and with the keys in alphabetical order.
fn spaced(line: &str) -> String {
    fn text(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| format!("{}: {}", quoted(key), text(value));
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
            other => other.to_string(),
        }
    }
    text(&serde_json::from_str(line).unwrap())
}

const TRANSPORTS: [Transport; 17] = [
    ("CRLF", |line| format!("{line}\r")),
    ("blanks behind", |line| format!("{line}  \t")),
    ("a comma behind, as in a list", |line| format!("  {line},")),
    ("kubectl logs --prefix", |line| format!("[pod/shard-0/swarmline] {line}")),
    ("parallel --tag", |line| format!("host-1\t{line}")),
    ("journalctl -o short", |line| format!("Nov 26 08:00:01 host-1 swarmline[312]: {line}")),
    ("containerd", |line| format!("2026-11-26T08:00:01.123456789Z stdout F {line}")),
    ("sorted keys and blanks", spaced),
    ("jq -c -S", |line| serde_json::from_str::<Value>(line).unwrap().to_string()),
    ("escaped slashes", |line| line.replace('/', "\\/")),
    ("docker json-file", |line| {
        format!(
            "{{\"log\":{},\"stream\":\"stdout\",\"time\":\"2026-11-26T08:00:01.1Z\"}}",
            quoted(&format!("{line}\n"))
        )
    }),
    ("journalctl -o json", |line| {
        let fields = "\"_SYSTEMD_UNIT\":\"load.service\",\"PRIORITY\":\"6\"";
        format!("{{\"__CURSOR\":\"s=1;i=2\",\"MESSAGE\":{},{fields}}}", quoted(line))
    }),
    ("Fluent Bit json_lines", |line| format!("{{\"date\":1795680001.5,\"log\":{}}}", quoted(line))),
    ("Fluent Bit file", |line| format!("app.0: [1795680001.500000000, {{\"log\":{}}}]", quoted(line))),
    ("Fluent Bit stdout", |line| format!("[0] app.0: [[1795680001.5, {{}}], {{\"log\"=>{}}}]", quoted(line))),
    ("CloudWatch, an event a line", |line| format!("{{\"message\":{},\"timestamp\":1795680001500}}", quoted(line))),
    ("logcli -o jsonl", |line| {
        let labels = json!({"app": "swarmline", "pod": "shard-0"});
        format!("{{\"labels\":{labels},\"line\":{},\"timestamp\":\"2026-11-26T08:00:01.5Z\"}}", quoted(line))
    }),
];

fn sent(transport: fn(&str) -> String, stream: &str) -> String {
    stream.lines().map(|line| transport(line) + "\n").collect()
}

fn merged(scratch: &Scratch, streams: &[String]) -> Finished {
    let paths = streams.iter().enumerate().map(|(at, text)| scratch.write(&format!("run-{at}.ndjson"), text));
    merge(&paths.collect::<Vec<_>>(), &[])
}

#[test]
fn report_reads_a_stream_however_it_was_transported() {
    let scratch = Scratch::new("transports-report");
    let plain = Run::new(["report", &scratch.write("plain.ndjson", ALONE)]).finish().exits(0);
    for (name, transport) in TRANSPORTS {
        let path = scratch.write("sent.ndjson", sent(transport, ALONE));
        let report = Run::new(["report", &path]).finish().exits(0);
        assert_eq!(report.text(), plain.text(), "{name}");
    }
}

#[test]
fn merge_writes_the_same_however_the_shards_were_transported() {
    let scratch = Scratch::new("transports-merge");
    let plain = merged(&scratch, &SHARDS.map(str::to_owned));
    for (name, transport) in TRANSPORTS {
        let run = merged(&scratch, &SHARDS.map(|stream| sent(transport, stream)));
        assert_eq!((run.code, run.text() == plain.text()), (plain.code, true), "{name}: {}", run.stderr);
    }
}

#[test]
fn pieces_that_srun_labels_are_joined_by_report_too() {
    let scratch = Scratch::new("transports-srun");
    let plain = Run::new(["report", &scratch.write("plain.ndjson", ALONE)]).finish().exits(0);
    let pieces = |line: &str| -> String {
        let pieces = line.as_bytes().chunks(1024).map(|piece| std::str::from_utf8(piece).unwrap());
        pieces.flat_map(|piece| ["0: ", piece, "\n"]).collect()
    };
    let cut: String = ALONE.lines().map(pieces).collect();
    let report = Run::new(["report", &scratch.write("cut.txt", &cut)]).finish().exits(0);
    assert_eq!(report.text(), plain.text());
    let all: Vec<&str> = cut.lines().collect();
    let last = all.iter().rposition(|line| line.starts_with("0: {\"time\"") && line.len() > 1000).unwrap();
    let torn: String = all.iter().enumerate().filter(|(at, _)| *at != last + 1).flat_map(|(_, l)| [*l, "\n"]).collect();
    let report = Run::new(["report", &scratch.write("torn.txt", torn)]).finish().exits(4);
    assert!(report.text().contains("a line whose rest is missing"), "{}", report.text());
}

#[test]
fn many_lines_in_one_are_refused_with_the_way_to_export_them() {
    let scratch = Scratch::new("transports-batch");
    let lines: Vec<&str> = ALONE.lines().take(3).collect();
    let values: Vec<Value> = lines.iter().map(|line| json!(["1795680001500000000", line])).collect();
    let result = json!([{"stream": {"app": "swarmline"}, "values": values}]);
    let loki = json!({"status": "success", "data": {"resultType": "streams", "result": result}});
    let events: Vec<Value> = lines.iter().map(|line| json!({"timestamp": 1, "message": line})).collect();
    let records: Vec<Value> = lines.iter().map(|line| json!({"date": 1.5, "log": line})).collect();
    for (name, answer, words) in [
        ("loki.json", &loki, "this is a Loki query answer; export it with logcli query -o raw"),
        ("events.json", &json!({"events": events, "nextForwardToken": "f/1"}), "aws logs tail"),
        ("records.json", &json!(records), "json_lines"),
    ] {
        let path = scratch.write(name, answer.to_string());
        let refused = Run::new(["report", &path]).finish().exits(2);
        assert!(refused.complaint().starts_with(&format!("{path}: line 1: ")), "{}", refused.stderr);
        assert!(refused.complaint().contains(words), "{}", refused.stderr);
        let refused = Run::new(["merge", &path]).finish().exits(4);
        assert!(refused.complaint().contains(words), "{}", refused.stderr);
    }
}

#[test]
fn an_answer_that_is_printed_over_many_lines_is_read_line_by_line() {
    let scratch = Scratch::new("transports-pretty");
    let plain = Run::new(["report", &scratch.write("plain.ndjson", ALONE)]).finish().exits(0);
    let member =
        |line: &str| format!("    {{\n      \"timestamp\": 1,\n      \"message\": {}\n    }},\n", quoted(line));
    let text: String = ALONE.lines().map(member).collect();
    let report = Run::new(["report", &scratch.write("events.json", text)]).finish().exits(0);
    let body = plain.text().lines().next().unwrap();
    assert!(report.text().contains(body) && report.text().contains("not a line of the stream"), "{}", report.text());
}

#[test]
fn a_file_in_another_form_is_refused_by_its_first_bytes() {
    let scratch = Scratch::new("transports-magic");
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(ALONE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (name, bytes, word) in [
        ("s.zst", b"\x28\xb5\x2f\xfd\x04".to_vec(), "zstdcat"),
        ("s.xz", b"\xfd7zXZ\0\0".to_vec(), "xzcat"),
        ("s.bz2", b"BZh91AY".to_vec(), "bzcat"),
        ("s.txt", utf_16, "UTF-16"),
    ] {
        let path = scratch.write(name, bytes);
        let refused = Run::new(["report", &path]).finish().exits(2);
        assert!(refused.complaint().contains(word), "{}", refused.stderr);
        let refused = Run::new(["merge", &path]).finish().exits(4);
        assert!(refused.complaint().contains(word), "{}", refused.stderr);
    }
}
