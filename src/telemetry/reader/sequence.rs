//! Which lines of a stream came: `seq` counts them, so a gap means that the transport lost some.

use super::troubles::{StreamTrouble, StreamTroubles};

/// Maximum gaps that are kept, to be filled by lines that come late.
const MAX_GAPS: usize = 1000;

/// The numbers seen so far.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    latest: u64,
    gaps: Vec<SequenceGap>,
}

#[derive(Debug)]
struct SequenceGap {
    /// Line of the file at which it was noticed.
    line: u64,
    first: u64,
    last: u64,
}

impl Sequence {
    /// Takes note of a number; returns whether its line was there before.
    pub(super) fn is_repeated(&mut self, line: u64, seq: u64) -> bool {
        if seq > self.latest {
            if seq > self.latest + 1 && self.gaps.len() < MAX_GAPS {
                self.gaps.push(SequenceGap { line, first: self.latest + 1, last: seq - 1 });
            }
            self.latest = seq;
            return false;
        }
        let Some(place) = self.gaps.iter().position(|gap| (gap.first..=gap.last).contains(&seq)) else { return true };
        let SequenceGap { line, first, last } = self.gaps.swap_remove(place);
        let halves = [SequenceGap { line, first, last: seq - 1 }, SequenceGap { line, first: seq + 1, last }];
        self.gaps.extend(halves.into_iter().filter(|gap| gap.first <= gap.last));
        false
    }

    /// Names the gaps that nothing filled.
    pub(super) fn finish(mut self, troubles: &mut StreamTroubles) {
        self.gaps.sort_by_key(|gap| gap.first);
        for SequenceGap { line, first, last } in self.gaps {
            let lost = last - first + 1;
            let what = if lost == 1 { format!("line {first}") } else { format!("{lost} lines, {first} to {last},") };
            troubles.add_at(
                line,
                StreamTrouble::Lost,
                format!("{what} of the stream missing: the transport lost them"),
            );
        }
    }
}
