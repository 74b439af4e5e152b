//! Mutations of inputs: of bytes, lines, numbers and texts, and of JSON values.

use serde_json::{Map, Value, json};
use swarmline::plan::random::Random;

/// Numbers that often break programs.
const NUMBERS: [&str; 26] = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "255",
    "65535",
    "65536",
    "100000",
    "100001",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-1e308",
    "0.1",
    "1e-320",
    "99999999999999999999999999999999999999",
    "3600000001",
];

/// Texts that often break programs.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "..",
    "../../x",
    "/",
    "\u{0}",
    "\n",
    "\r\n",
    "\t",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "é",
    "😀",
    "<script>",
    "]]>",
    "&amp;",
    "\"'",
    "=1+1",
    "${env.HOME}",
    "${",
    "NaN",
    "%00",
    "{}",
];

pub(crate) fn pick<'a, T: ?Sized>(random: &mut Random, from: &[&'a T]) -> &'a T {
    from[random.below(from.len())]
}

/// An unusual text.
pub(crate) fn text(random: &mut Random) -> String {
    match random.below(4) {
        0 => pick(random, &TEXTS).repeat([1, 2, 600, 5000][random.below(4)]),
        1 => pick(random, &NUMBERS).to_owned(),
        2 => "x".repeat([1, 31, 33, 128, 129, 512, 513, 4096, 70_000][random.below(9)]),
        _ => pick(random, &TEXTS).to_owned(),
    }
}

/// Changes bytes, whatever they mean.
pub(crate) fn bytes(random: &mut Random, input: &mut Vec<u8>) {
    if input.is_empty() {
        input.push(b'{');
    }
    let at = random.below(input.len());
    let end = at + 1 + random.below((input.len() - at).min(64));
    match random.below(7) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = [0, 0xff, b'"', b'{', b'}', b'[', b'\n', b'\\', 0xc3][random.below(9)],
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        4 => input.truncate(at),
        5 => {
            let piece = text(random).into_bytes();
            input.splice(at..at, piece);
        }
        _ => number(random, input),
    }
}

/// Replaces a number.
pub(crate) fn number(random: &mut Random, input: &mut Vec<u8>) {
    if input.is_empty() {
        return;
    }
    let from = random.below(input.len());
    let Some(at) = input[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let new = if random.below(3) == 0 { random.below(100_000).to_string() } else { pick(random, &NUMBERS).to_owned() };
    input.splice(at..at + digits, new.into_bytes());
}

/// Changes lines as transports do: loses, repeats, reorders or truncates some.
pub(crate) fn lines(random: &mut Random, input: &mut Vec<u8>) {
    let mut all: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if all.is_empty() {
        return;
    }
    let (at, to) = (random.below(all.len()), random.below(all.len()));
    match random.below(7) {
        0 => drop(all.remove(at)),
        1 => {
            let line = all[at].clone();
            all.insert(to, line);
        }
        2 => all.swap(at, to),
        3 => all.truncate(at),
        4 => {
            let half = all[at].len() / 2;
            all[at].truncate(half);
        }
        5 => all.insert(at, text(random).into_bytes()),
        _ => drop(all.drain(at.min(to)..at.max(to))),
    }
    *input = all.concat();
}

/// Changes all lines as a log pipeline does: other line ends, labels, other key order, within a text of its own JSON.
pub(crate) fn transport(random: &mut Random, input: &mut Vec<u8>) {
    let way = random.below(5);
    let line = |line: &str| match way {
        0 => format!("{line}\r\n"),
        1 => format!("0: {line}\n"),
        2 => serde_json::from_str::<Value>(line).map_or_else(|_| line.to_owned(), |value| value.to_string()) + "\n",
        3 => json!({"log": format!("{line}\n"), "stream": "stdout"}).to_string() + "\n",
        _ => format!("app.0: [1.5, {}]\n", json!({"MESSAGE": line})),
    };
    *input = String::from_utf8_lossy(input).lines().map(line).collect::<String>().into_bytes();
}

/// Changes one line of JSON as such.
pub(crate) fn json_line(random: &mut Random, input: &mut Vec<u8>) {
    let mut all: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if all.is_empty() {
        return;
    }
    let at = random.below(all.len());
    let Ok(mut value) = serde_json::from_slice::<Value>(&all[at]) else { return };
    self::value(random, &mut value);
    // Keys in the order of the stream: its readers rely on the first and the last.
    all[at] = in_order(&value).into_bytes();
    all[at].push(b'\n');
    *input = all.concat();
}

fn in_order(line: &Value) -> String {
    let Some(object) = line.as_object() else { return line.to_string() };
    let sorted = |object: &Map<String, Value>, first: &[&str], last: &[&str], inner: bool| {
        let mut keys: Vec<&String> = object.keys().collect();
        keys.sort_by_key(|key| match first.iter().position(|known| known == key) {
            Some(place) => (0, place),
            None => (1 + usize::from(last.contains(&key.as_str())), 0),
        });
        let member = |key: &&String| {
            let value = &object[*key];
            let text = if inner && *key == "telemetry" { in_order_of_body(value) } else { value.to_string() };
            format!("{}:{text}", json!(key))
        };
        format!("{{{}}}", keys.iter().map(member).collect::<Vec<_>>().join(","))
    };
    sorted(object, &["time", "level", "name", "message"], &["telemetry"], true)
}

fn in_order_of_body(body: &Value) -> String {
    let Some(object) = body.as_object() else { return body.to_string() };
    let mut members: Vec<String> = Vec::new();
    for key in object.keys().filter(|key| *key != "seq").chain(object.keys().filter(|key| *key == "seq")) {
        members.push(format!("{}:{}", json!(key), object[key]));
    }
    format!("{{{}}}", members.join(","))
}

/// Changes a value at some depth.
pub(crate) fn value(random: &mut Random, value: &mut Value) {
    let goes_in = random.below(8) > 0;
    match value {
        Value::Object(members) if goes_in && !members.is_empty() => {
            let key = members.keys().nth(random.below(members.len())).cloned().unwrap();
            match random.below(10) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert(text(random), other(random))),
                2 => {
                    let (taken, to) = (members[&key].clone(), members.keys().nth(random.below(members.len())).cloned());
                    members.insert(to.unwrap(), taken);
                }
                _ => self::value(random, members.get_mut(&key).unwrap()),
            }
        }
        Value::Array(items) if goes_in && !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(8) {
                0 => drop(items.remove(at)),
                1 => {
                    let item = items[at].clone();
                    items.extend(std::iter::repeat_n(item, [1, 2, 300][random.below(3)]));
                }
                _ => self::value(random, &mut items[at]),
            }
        }
        Value::String(old) if random.below(2) == 0 => {
            let at = (0..=random.below(old.len() + 1)).rev().find(|at| old.is_char_boundary(*at)).unwrap_or(0);
            old.insert_str(at, &text(random));
        }
        other_kind => *other_kind = other(random),
    }
}

fn other(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => json!([]),
        3 => json!({}),
        4 => (0..[2, 100, 500][random.below(3)]).fold(json!(1), |inner, _| json!([inner])),
        5 => Value::String(text(random)),
        _ => serde_json::from_str(pick(random, &NUMBERS)).unwrap_or(json!(7)),
    }
}
