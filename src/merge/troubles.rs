//! What is wrong with the streams of a run, named: who, what, and what to do about it.

use std::collections::BTreeMap;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MergeTroubleKind {
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

impl MergeTroubleKind {
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
        matches!(self, Self::Missing | Self::CutOff | Self::Damaged | Self::Twice | Self::Foreign | Self::Apart)
    }
}

/// Most sentences of a kind; further ones are counted.
const MOST_OF_A_KIND: usize = 20;

/// Everything that is wrong.
#[derive(Debug, Default)]
pub(super) struct MergeTroubles(BTreeMap<MergeTroubleKind, (Vec<String>, usize)>);

impl MergeTroubles {
    /// Adds one.
    pub(super) fn add(&mut self, kind: MergeTroubleKind, sentence: String) {
        let (sentences, further) = self.0.entry(kind).or_default();
        // A few of each shard are named, so that one does not hide another.
        let most = if kind == MergeTroubleKind::Contradiction { 10 * MOST_OF_A_KIND } else { MOST_OF_A_KIND };
        if sentences.len() < most {
            sentences.push(sentence);
        } else {
            *further += 1;
        }
    }

    /// Kind and sentence of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (MergeTroubleKind, String)> {
        self.0.iter().flat_map(|(kind, (sentences, further))| {
            let more = (*further > 0).then(|| format!("and {further} more ({})", kind.as_str()));
            sentences.iter().cloned().chain(more).map(|sentence| (*kind, sentence))
        })
    }

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
        troubles.add(MergeTroubleKind::Torn, "torn".to_owned());
        (0..25).for_each(|shard| troubles.add(MergeTroubleKind::Missing, shard.to_string()));
        assert_eq!(troubles.faults(true), ["torn"]);
        assert_eq!(troubles.faults(false).len(), 22);
        assert_eq!(troubles.faults(false)[20], "and 5 more (shard_missing)");
    }
}
