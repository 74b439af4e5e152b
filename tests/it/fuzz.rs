//! Mutated inputs: real ones, changed at random by a seed. Whatever they are, a command ends in time with an exit code
//! of its own, what it wrote can be read, and what one command writes the next accepts.
//!
//! `make fuzz` does it by the hour: `FUZZ_COUNT` inputs a kind from number `FUZZ_FROM` on, which follow from `FUZZ_SEED`, of
//! the build that `FUZZ_BIN` names or the tests' own, whose arithmetic is checked. An
//! input that breaks a promise is left in `target/tmp/fuzz`, as small as it could be made.

mod judge;
mod kinds;
mod mutate;
mod small;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use swarmline::plan::random::{Random, seed_of};

use kinds::{Kind, Sample};

/// Inputs of a kind, where nothing else is asked for: seconds.
const COUNT: u64 = 60;

/// Processes at a time.
const AT_A_TIME: usize = 2;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A folder that is looked into afterwards.
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
                        let told = told(kind, &place, seed, index, &sample, &why);
                        eprintln!("{told}");
                        found.lock().unwrap().push(told);
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
        println!("fuzz {}: {count} inputs from number {from} on, seed {seed}: all as promised", kind.name);
    }
}

/// Input number `index`: the same for the same seed, whatever came before.
fn sample(kind: &Kind, seed: u64, index: u64) -> Sample {
    let mut random = Random::seeded(seed_of(&format!("{} {seed} {index}", kind.name)));
    (kind.make)(&mut random)
}

/// Leaves the input behind, made small; gives the sentence about it.
fn told(kind: &Kind, place: &Path, seed: u64, index: u64, sample: &Sample, why: &str) -> String {
    /// Of the first few only: each takes hundreds of runs.
    const MADE_SMALL: u64 = 5;
    static MADE: AtomicU64 = AtomicU64::new(0);
    let first = why.lines().next().unwrap_or_default();
    let smallest = if MADE.fetch_add(1, Ordering::Relaxed) < MADE_SMALL {
        small::smallest(sample, |sample| (kind.check)(place, sample).is_err_and(|why| small::is_alike(&why, first)))
    } else {
        sample.clone()
    };
    let left = folder().join(format!("{}-{seed}-{index}", kind.name));
    let paths: Vec<String> = (0..)
        .zip(&smallest.files)
        .map(|(at, bytes)| {
            let path = format!("{}-{at}{}", left.display(), kind.ending);
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
