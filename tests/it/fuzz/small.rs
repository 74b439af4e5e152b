//! Minimizes an input that breaks a promise.

use super::kinds::Sample;

/// Maximum number of runs to minimize one input.
const RUNS: usize = 300;

/// Whether two errors are of the same kind: their first lines are alike, numbers and paths aside.
pub(crate) fn is_alike(why: &str, first: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphabetic()).take(24).collect::<String>();
    plain(why.lines().next().unwrap_or_default()) == plain(first)
}

/// The smallest input found that still breaks the promise.
pub(crate) fn smallest(sample: &Sample, breaks: impl Fn(&Sample) -> bool) -> Sample {
    let (mut best, mut runs) = (sample.clone(), 0);
    for at in 0..sample.files.len() {
        for by_lines in [true, false] {
            let mut step = 2;
            while step <= 256 && runs < RUNS {
                let parts = parts(&best.files[at], by_lines, step);
                let mut was_smaller = false;
                for left_out in 0..parts.len() {
                    let kept = parts.iter().enumerate().filter(|(part, _)| *part != left_out);
                    let mut smaller = best.clone();
                    smaller.files[at] = kept.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
                    runs += 1;
                    if runs < RUNS && smaller.files[at].len() < best.files[at].len() && breaks(&smaller) {
                        (best, was_smaller) = (smaller, true);
                        break;
                    }
                }
                step = if was_smaller { step.max(4) / 2 } else { step * 2 };
            }
        }
    }
    for at in (0..best.words.len()).rev() {
        let mut smaller = best.clone();
        smaller.words.remove(at);
        if breaks(&smaller) {
            best = smaller;
        }
    }
    best
}

fn parts(bytes: &[u8], by_lines: bool, step: usize) -> Vec<Vec<u8>> {
    if !by_lines {
        return bytes.chunks(bytes.len().div_ceil(step).max(1)).map(<[u8]>::to_vec).collect();
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    lines.chunks(lines.len().div_ceil(step).max(1)).map(<[&[u8]]>::concat).collect()
}
