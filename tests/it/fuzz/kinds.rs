//! Kinds of inputs and what is checked for each.

use std::path::Path;

use swarmline::plan::random::Random;

use super::commands::COMMANDS;
use super::environment;
use super::judge;
use super::mutate::{self, pick};
use super::streams::{ALONE, SHARDS};
use crate::support::Finished;

/// An input: arguments of a command line, and files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) words: Vec<String>,
    pub(crate) files: Vec<Vec<u8>>,
}

/// A kind of input.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Suffix of its files.
    pub(crate) ending: &'static str,
    pub(crate) make: fn(&mut Random) -> Sample,
    /// Fails with a description where a promise is broken; may use the folder.
    pub(crate) check: fn(&Path, &Sample) -> Result<(), String>,
}

/// `report` of a stream.
pub(crate) const REPORT: Kind = Kind { name: "report", ending: ".ndjson", make: one_stream, check: reported };

/// `merge` of the streams of shards, and `report` of its output.
pub(crate) const MERGE: Kind = Kind { name: "merge", ending: ".ndjson", make: three_streams, check: merged };

/// `run --dry-run` of a scenario.
pub(crate) const SCENARIO: Kind = Kind { name: "scenario", ending: ".json", make: scenario, check: planned };

/// `import` of a recording, and `run --dry-run` of its output.
pub(crate) const RECORDING: Kind = Kind { name: "recording", ending: ".har", make: recording, check: recorded };

/// `import` of a curl command, and `run --dry-run` of its output.
pub(crate) const CURL: Kind = Kind { name: "curl", ending: ".sh", make: curl, check: imported };

/// Flags of every command.
pub(crate) const FLAGS: Kind = Kind { name: "flags", ending: "", make: flags, check: taken };

/// `run --dry-run` of an address.
pub(crate) const ADDRESS: Kind = Kind { name: "address", ending: "", make: address, check: taken };

fn change_stream(random: &mut Random, stream: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        match random.below(9) {
            0 => mutate::bytes(random, stream),
            1 | 2 => mutate::number(random, stream),
            3 => mutate::lines(random, stream),
            4 => mutate::transport(random, stream),
            _ => mutate::json_line(random, stream),
        }
    }
}

fn one_stream(random: &mut Random) -> Sample {
    let stream = [ALONE[0], ALONE[0], ALONE[1], ALONE[2], SHARDS[0][0]][random.below(5)];
    let mut stream = stream.to_vec();
    change_stream(random, &mut stream);
    Sample { words: Vec::new(), files: vec![stream] }
}

fn three_streams(random: &mut Random) -> Sample {
    let shards = SHARDS[[0, 0, 1, 2][random.below(4)]];
    let mut files: Vec<Vec<u8>> = shards.map(<[u8]>::to_vec).to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(files.len());
        change_stream(random, &mut files[at]);
    }
    let words = if random.below(3) == 0 { vec!["--allow-missing".to_owned()] } else { Vec::new() };
    Sample { words, files }
}

/// Writes the sample's files into the folder and returns their paths.
fn written(place: &Path, sample: &Sample, name: &str) -> Vec<String> {
    let path = |(at, bytes): (usize, &Vec<u8>)| {
        let path = place.join(format!("{at}-{name}"));
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    sample.files.iter().enumerate().map(path).collect()
}

fn outputs(place: &Path) -> Vec<String> {
    let flags = [
        ("--html", "p.html"),
        ("--csv", "t"),
        ("--json-file", "s.json"),
        ("--junit", "j.xml"),
        ("--markdown", "m.markdown"),
        ("--hgrm", "h"),
    ];
    flags.iter().flat_map(|(flag, name)| [(*flag).to_owned(), place.join(name).to_str().unwrap().to_owned()]).collect()
}

/// Runs a command with these arguments and further ones.
fn run(words: &[&str], more: &[String]) -> Result<Finished, String> {
    judge::run(words.iter().copied().chain(more.iter().map(String::as_str)))
}

fn clear(place: &Path) {
    for file in std::fs::read_dir(place).unwrap() {
        let _ = std::fs::remove_file(file.unwrap().path());
    }
}

fn reported(place: &Path, sample: &Sample) -> Result<(), String> {
    clear(place);
    let paths = written(place, sample, "s.ndjson");
    let report = run(&["report"], &[paths, outputs(place)].concat())?;
    if report.code == 2 { Ok(()) } else { judge::reports(place) }
}

fn merged(place: &Path, sample: &Sample) -> Result<(), String> {
    clear(place);
    let paths = written(place, sample, "s.ndjson");
    let merge = run(&["merge"], &[paths, sample.words.clone(), outputs(place)].concat())?;
    judge::stream(&merge.stdout)?;
    if merge.stdout.is_empty() {
        return Ok(());
    }
    judge::reports(place)?;
    let path = place.join("master.ndjson");
    std::fs::write(&path, &merge.stdout).unwrap();
    let report = run(&["report", path.to_str().unwrap()], &[])?;
    let said = || report.text().chars().take(600).collect::<String>();
    match report.code {
        0 if report.text().contains("is whole, but not clean") => {
            Err(format!("the output of merge has problems: {}", said()))
        }
        0 => Ok(()),
        code => Err(format!("report refuses the output of merge with {code}: {} {}", report.stderr, said())),
    }
}

pub(super) fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

pub(super) fn change_json(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        match (random.below(8), serde_json::from_slice::<serde_json::Value>(text)) {
            (2.., Ok(mut value)) => {
                mutate::value(random, &mut value);
                *text = value.to_string().into_bytes();
            }
            (1, _) => mutate::number(random, text),
            _ => mutate::bytes(random, text),
        }
    }
}

fn scenario(random: &mut Random) -> Sample {
    let all = corpus("scenario/good");
    let mut text = all[random.below(all.len())].clone();
    change_json(random, &mut text);
    Sample { words: Vec::new(), files: vec![text] }
}

fn planned(place: &Path, sample: &Sample) -> Result<(), String> {
    clear(place);
    let paths = written(place, sample, "s.json");
    run(&["run", "--dry-run", "-f"], &paths).map(drop)
}

fn recording(random: &mut Random) -> Sample {
    let all = corpus("import");
    let mut text = all[random.below(all.len())].clone();
    change_json(random, &mut text);
    let flags: [&[&str]; 4] =
        [&["--keep-secrets"], &["--keep-secrets", "--all-hosts", "--assets"], &[], &["--all-hosts", "--no-pauses"]];
    let words = flags[random.below(flags.len())].iter().map(|word| (*word).to_owned()).collect();
    Sample { words, files: vec![text] }
}

fn curl(random: &mut Random) -> Sample {
    let mut text = COMMANDS[random.below(COMMANDS.len())].as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        if random.below(3) > 0 {
            mutate::bytes(random, &mut text);
            continue;
        }
        let mut words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
        let (at, to) = (random.below(words.len()), random.below(words.len()));
        words.swap(at, to);
        text = words.join(&b' ');
    }
    let words = if random.below(2) == 0 { vec!["--keep-secrets".to_owned()] } else { Vec::new() };
    Sample { words, files: vec![text] }
}

/// A recording is refused for what it has, and never because `run` would refuse what was made of it.
pub(super) fn recorded(place: &Path, sample: &Sample) -> Result<(), String> {
    clear(place);
    let paths = written(place, sample, "input");
    let import = run(&["import"], &[sample.words.clone(), paths].concat())?;
    if import.stderr.contains("cannot be written as a scenario") {
        return Err(import.stderr);
    }
    imported(place, sample)
}

pub(super) fn imported(place: &Path, sample: &Sample) -> Result<(), String> {
    clear(place);
    let paths = written(place, sample, "input");
    let import = run(&["import"], &[sample.words.clone(), paths].concat())?;
    if import.stdout.is_empty() {
        return Ok(());
    }
    let path = place.join("scenario.json");
    std::fs::write(&path, &import.stdout).unwrap();
    let environment = environment::of(import.text())?;
    let more: &[&str] = if import.text().contains("\n  \"host\": ") { &[] } else { &["--host", "http://h.invalid"] };
    let words = ["run", "--dry-run", "-f", path.to_str().unwrap()];
    let dry = judge::run_with(&environment, words.iter().chain(more).copied())?;
    // A command may send a file that cannot be read here.
    let unreadable = ["No such file or directory", "Is a directory", "Not a directory", "Permission denied"];
    if dry.code == 0 || unreadable.iter().any(|why| dry.stderr.contains(why)) {
        Ok(())
    } else {
        Err(format!("run refuses the output of import: {}", dry.stderr))
    }
}

const FLAG_WORDS: [&str; 44] = [
    "-u",
    "-r",
    "-t",
    "-n",
    "--rate",
    "--stages",
    "--wait",
    "-s",
    "--seed",
    "--arrival",
    "-X",
    "--header",
    "-d",
    "--json",
    "--basic-auth",
    "--expect-status",
    "--timeout",
    "--max-redirects",
    "--connect-timeout",
    "--cacert",
    "--cert",
    "--key",
    "--proxy",
    "--unix-socket",
    "--resolve",
    "--dns-ttl",
    "-4",
    "-6",
    "-k",
    "--no-keepalive",
    "--testplan",
    "--interval",
    "--run-id",
    "--shard",
    "--start-at",
    "--start-align",
    "--check",
    "--check-rps",
    "--check-fail-ratio",
    "--loglevel",
    "--tags",
    "--exit-code-on-error",
    "-H",
    "--allow-missing",
];

const VALUES: [&str; 36] = [
    "1",
    "10",
    "0.5",
    "1s",
    "1h30m",
    "10:5",
    "1s:10,2s:0",
    "30s:100,2m:100,30s:0",
    "pacing:2s",
    "throughput:0.5",
    "1s..3s",
    "A: b",
    "A:",
    ":",
    "a:b",
    "@/dev/null",
    "{\"a\":1}",
    "200,3xx",
    "1-2",
    "http://h.example:1/",
    "socks5://h.example:1",
    "h.example:80:127.0.0.1",
    "[::1]:80:[::1]",
    "0/3",
    "2/3",
    "auto",
    "auto/4",
    "2026-01-01T00:00:00Z",
    "1795381223",
    "p95 < 300ms",
    "p99{GET /}@steady < 1ms abort",
    "fail_ratio <= 1%",
    "rps > 1",
    "info",
    "constant",
    "poisson",
];

fn flags(random: &mut Random) -> Sample {
    let command = [&["run", "--dry-run"][..], &["run", "--dry-run", "http://h.example/"], &["report"], &["merge"]];
    let command = command[[1, 1, 1, 0, 2, 3][random.below(6)]];
    let mut words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    for _ in 0..random.below(5) {
        words.push(pick(random, &FLAG_WORDS).to_owned());
        let mut value = pick(random, &VALUES).as_bytes().to_vec();
        if random.below(2) == 0 {
            mutate::bytes(random, &mut value);
        }
        words.push(word(&value));
    }
    Sample { words, files: Vec::new() }
}

/// Makes a valid argument: text without NUL, not longer than the system allows.
fn word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "").chars().take(30_000).collect()
}

const ADDRESSES: [&str; 10] = [
    "http://h.example/",
    "https://u:p@h.example:8443/a/b?c=d&e=%20#f",
    "http://[::1]:80/x",
    "http://127.0.0.1/%zz",
    "POST http://h.example/orders",
    "/path?x=${y}",
    "http://xn--nxasmq6b.example/",
    "http://h.example:65535/;p=1",
    "h.example/x",
    "http://h.example/é/ü?ß",
];

fn address(random: &mut Random) -> Sample {
    let mut text = pick(random, &ADDRESSES).as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        mutate::bytes(random, &mut text);
    }
    let mut words: Vec<String> = ["run", "--dry-run"].map(str::to_owned).to_vec();
    if random.below(3) == 0 {
        words.extend(["-H".to_owned(), pick(random, &ADDRESSES).to_owned()]);
    }
    words.extend(["--".to_owned(), word(&text)]);
    Sample { words, files: Vec::new() }
}

fn taken(_place: &Path, sample: &Sample) -> Result<(), String> {
    if sample.words.is_empty() {
        return Ok(());
    }
    run(&[], &sample.words).map(drop)
}
