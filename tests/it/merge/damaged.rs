//! Compressed streams are recognized by their first bytes, and a damaged one is a problem of its shard only.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::pipes::{pipes, start_merge, writer};
use super::{files, interleaved, merge, shards};
use crate::support::lines::Stream;
use crate::support::{Run, Scratch, target};

/// As `gzip` writes it.
fn compressed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_inputs_are_recognized_by_their_first_bytes() {
    let (target, scratch) = (target(), Scratch::new("merge-magic"));
    let streams = shards(&target, 2, &["-t", "400ms"]);
    let expected = merge(&files(&scratch, &streams), &[]).exits(1).stdout;
    // One is compressed without the suffix, in two members as made by `cat a.gz b.gz`; one is plain with the suffix.
    let (head, tail) = streams[0].split_at(streams[0].len() / 3);
    let one = scratch.write("one.ndjson", [compressed(head), compressed(tail)].concat());
    let two = scratch.write("two.ndjson.gz", &streams[1]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(text(&merge(&[one.clone(), two], &[]).exits(1).stdout), text(&expected));
    let both = scratch.write("both", compressed(interleaved(&streams).as_bytes()));
    let script = format!("exec < {both}");
    let from_cat = Run::in_shell(&format!("exec < {both}; set --  sh -c 'cat | \"$0\" merge -' \"$1\""), []);
    for run in [Run::in_shell(&script, ["merge", "-"]), from_cat] {
        assert_eq!(text(&run.finish().stdout), text(&expected), "standard input, a file or a pipe");
    }
    let pipes = pipes(&scratch, 2);
    let run = start_merge(&pipes, &[]);
    let mut first = writer(&pipes[0]);
    let mut second = writer(&pipes[1]);
    let whole = compressed(&streams[0]);
    // The first byte alone is not enough.
    first.write_all(&whole[..1]).unwrap();
    second.write_all(&streams[1]).unwrap();
    first.write_all(&whole[1..]).unwrap();
    drop((first, second));
    // The first shard may be late here, so only the counts are the same.
    let run = run.finish().exits(1);
    assert_eq!(run.stream().run_end().count("sent"), Stream::parse(&expected).run_end().count("sent"));
    assert!(!run.stderr.contains("torn"), "{}", run.stderr);
}

#[test]
fn a_damaged_input_is_reported_for_its_shard_and_may_be_allowed() {
    let (target, scratch) = (target(), Scratch::new("merge-damaged"));
    let streams = shards(&target, 2, &["-t", "900ms"]);
    let mut paths = files(&scratch, &streams);
    let whole = compressed(&streams[1]);
    let mut broken = whole.clone();
    // Invalid DEFLATE: a block of the reserved type.
    let middle = broken.len() / 2;
    broken[middle..middle + 64].fill(0xff);
    for (name, bytes) in [("broken.gz", broken), ("then-garbage.gz", [whole, b"garbage behind".to_vec()].concat())] {
        paths[1] = scratch.write(name, bytes);
        let run = merge(&paths, &[]).exits(4);
        assert!(run.stderr.contains(&format!("{}: line ", paths[1])), "{}", run.stderr);
        assert!(run.stderr.contains("cannot be read further"), "{}", run.stderr);
        let allowed = merge(&paths, &["--allow-missing"]).exits(1);
        let sent = allowed.stream().run_end().count("sent");
        let (one, both) = (Stream::parse(&streams[0]).run_end().count("sent"), target.requests());
        assert!((one..=both).contains(&sent), "{sent} of {one} to {both}");
        assert!(allowed.stderr.contains("cannot be read further"), "it is reported although it is allowed");
    }
    let folder = merge(&[paths[0].clone(), scratch.file("")], &[]).exits(2);
    assert!(folder.complaint().contains("directory"), "{}", folder.stderr);
}
