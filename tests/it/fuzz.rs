//! Mutated inputs: real ones, changed at random from a seed. Whatever the input, a command ends in time with a
//! documented exit code, its output can be parsed, and the next command accepts it.
//!
//! `make fuzz` runs for hours: `FUZZ_COUNT` inputs of each kind, starting with number `FUZZ_FROM`, generated from
//! `FUZZ_SEED`, with the binary in `FUZZ_BIN` or else that of the tests, which checks for overflows. An input that fails
//! is left in `target/tmp/fuzz`, minimized.

mod commands;
mod judge;
mod kinds;
mod mutate;
mod small;
mod streams;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use swarmline::plan::random::{Random, seed_of};

use kinds::{Kind, Sample};

/// Default number of inputs of each kind: takes seconds.
const COUNT: u64 = 60;

/// Number of processes at a time.
const AT_A_TIME: usize = 2;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The folder for inputs that failed.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn fuzz(kind: &Kind) {
    let (seed, from, count) = (number("FUZZ_SEED", 1), number("FUZZ_FROM", 0), number("FUZZ_COUNT", COUNT));
    let (next, found) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..AT_A_TIME {
            let (next, found) = (&next, &found);
            scope.spawn(move || {
                let place = folder().join(format!("{}-{}-{worker}", kind.name, std::process::id()));
                std::fs::create_dir_all(&place).unwrap();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= from + count {
                        break;
                    }
                    let sample = sample(kind, seed, index);
                    if let Err(why) = (kind.check)(&place, &sample) {
                        let failure = save_failure(kind, &place, seed, index, &sample, &why);
                        eprintln!("{failure}");
                        found.lock().unwrap().push(failure);
                    }
                    if index % 5000 == 4999 {
                        eprintln!("fuzz {}: number {index}", kind.name);
                    }
                }
                let _ = std::fs::remove_dir_all(&place);
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} of {count} inputs:\n{}", found.len(), found.join("\n"));
    if count > COUNT {
        println!("fuzz {}: {count} inputs from number {from} on, seed {seed}: all passed", kind.name);
    }
}

/// Input number `index`: depends on the seed and the number only.
fn sample(kind: &Kind, seed: u64, index: u64) -> Sample {
    let mut random = Random::seeded(seed_of(&format!("{} {seed} {index}", kind.name)));
    (kind.make)(&mut random)
}

/// Minimizes the input, saves it and returns a description of the failure.
fn save_failure(kind: &Kind, place: &Path, seed: u64, index: u64, sample: &Sample, why: &str) -> String {
    /// Only the first few are minimized: each takes hundreds of runs.
    const MINIMIZED: u64 = 5;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let first = why.lines().next().unwrap_or_default();
    let smallest = if COUNT.fetch_add(1, Ordering::Relaxed) < MINIMIZED {
        small::smallest(sample, |sample| (kind.check)(place, sample).is_err_and(|why| small::is_alike(&why, first)))
    } else {
        sample.clone()
    };
    let saved = folder().join(format!("{}-{seed}-{index}", kind.name));
    let paths: Vec<String> = (0..)
        .zip(&smallest.files)
        .map(|(at, bytes)| {
            let path = format!("{}-{at}{}", saved.display(), kind.ending);
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let again = format!("FUZZ_SEED={seed} FUZZ_FROM={index} FUZZ_COUNT=1");
    format!("{} {index} ({again}): {why}\n  words {:?}, files {paths:?}", kind.name, smallest.words)
}

#[test]
fn report_accepts_a_stream_or_refuses_it() {
    fuzz(&kinds::REPORT);
}

#[test]
fn merge_accepts_streams_or_refuses_them_and_report_accepts_its_output() {
    fuzz(&kinds::MERGE);
}

#[test]
fn scenario_files_are_accepted_or_refused() {
    fuzz(&kinds::SCENARIO);
}

#[test]
fn recording_files_become_scenarios_that_run_or_are_refused() {
    fuzz(&kinds::RECORDING);
}

#[test]
fn curl_commands_become_scenarios_that_run_or_are_refused() {
    fuzz(&kinds::CURL);
}

#[test]
fn flags_are_accepted_or_refused() {
    fuzz(&kinds::FLAGS);
}

#[test]
fn address_texts_are_accepted_or_refused() {
    fuzz(&kinds::ADDRESS);
}
