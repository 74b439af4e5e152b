//! What is wrong with the streams of a run, named: who, what, and what to do about it.

use crate::telemetry::troubles::{TroubleKind, Troubles};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MergeTrouble {
    /// Not one line of a shard came.
    Missing,
    /// A shard's stream has no end.
    CutOff,
    /// An input cannot be read to its end.
    Damaged,
    /// A signal came before the inputs' end.
    Interrupted,
    /// A shard came twice.
    Twice,
    /// A stream of something else.
    Foreign,
    /// Shards did not start together.
    Apart,
    /// Lines of a shard did not come.
    Lost,
    /// Lines did not come whole.
    Torn,
    /// A line that contradicts itself, or what was said before: it is left out.
    Contradiction,
    /// What a shard counted is not what it says at its end.
    Wrong,
    /// A shard's own numbers are not valid.
    Invalid,
}

impl MergeTrouble {
    /// The word in the stream's warning.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "shard_missing",
            Self::CutOff => "shard_cut_off",
            Self::Damaged => "input_damaged",
            Self::Interrupted => "interrupted",
            Self::Twice => "shard_twice",
            Self::Foreign => "shard_foreign",
            Self::Apart => "shards_apart",
            Self::Lost => "lines_lost",
            Self::Torn => "lines_torn",
            Self::Contradiction => "line_contradicts",
            Self::Wrong => "counts_wrong",
            Self::Invalid => "shard_invalid",
        }
    }

    /// Whether `--allow-missing` goes on in spite of it: the numbers are right, of what there is.
    const fn is_allowed(self) -> bool {
        match self {
            Self::Missing | Self::CutOff | Self::Damaged | Self::Twice | Self::Foreign | Self::Apart => true,
            Self::Interrupted | Self::Lost | Self::Torn | Self::Contradiction | Self::Wrong | Self::Invalid => false,
        }
    }
}

impl TroubleKind for MergeTrouble {
    fn max_kept(self) -> usize {
        /// Of a kind; of contradictions a few of each shard are named, so that one does not hide another.
        const MAX: usize = 20;
        if self == Self::Contradiction { 10 * MAX } else { MAX }
    }

    fn further(self) -> String {
        format!("({})", self.as_str())
    }
}

/// Everything that is wrong.
pub(super) type MergeTroubles = Troubles<MergeTrouble>;

impl MergeTroubles {
    /// Why the run is not valid; none of what is allowed, where that is.
    pub(super) fn faults(&self, allow_missing: bool) -> Vec<String> {
        self.all().filter(|(kind, _)| !(allow_missing && kind.is_allowed())).map(|(_, sentence)| sentence).collect()
    }
}

/// Numbers in ascending order as people write them: `0, 3–5, 9`.
pub(super) fn ranges(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let word = |(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    runs.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ranges() {
        assert_eq!(ranges([0, 3, 4, 5, 9, 11, 12]), "0, 3–5, 9, 11, 12");
        assert_eq!(ranges([]), "");
    }

    #[test]
    fn missing_shards_may_be_allowed_but_damaged_ones_not() {
        let mut troubles = MergeTroubles::default();
        troubles.add(MergeTrouble::Torn, "torn");
        (0..25).for_each(|shard| troubles.add(MergeTrouble::Missing, shard));
        assert_eq!(troubles.faults(true), ["torn"]);
        assert_eq!(troubles.faults(false).len(), 22);
        assert_eq!(troubles.faults(false)[20], "and 5 more (shard_missing)");
    }
}
