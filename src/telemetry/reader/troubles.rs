//! What is wrong with a stream, with line numbers, and bounded: a broken file may be broken on every line.

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind of thing is wrong.
    pub kind: TroubleKind,
    /// Number of the line, from 1.
    pub line: u64,
    /// A sentence without the line number.
    pub what: String,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The stream does not come to its end.
    CutOff,
    /// Lines are missing within it.
    Lost,
    /// A line, or a histogram in it, cannot be read.
    Torn,
    /// A line contradicts itself, or what was said before: it is left out.
    Contradiction,
    /// A line came twice, or out of order.
    Repeated,
    /// A line is not of a stream.
    Foreign,
    /// The stream is of a later version of the format.
    Later,
}

impl TroubleKind {
    /// All, gravest first.
    const ALL: [Self; 7] =
        [Self::CutOff, Self::Lost, Self::Torn, Self::Contradiction, Self::Later, Self::Repeated, Self::Foreign];

    /// Whether something of the run is missing.
    const fn is_loss(self) -> bool {
        matches!(self, Self::CutOff | Self::Lost | Self::Torn | Self::Contradiction)
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::CutOff => "ends",
            Self::Lost => "places where lines are missing",
            Self::Torn => "lines that cannot be read",
            Self::Contradiction => "lines that contradict",
            Self::Later => "lines of a later version",
            Self::Repeated => "repeated lines",
            Self::Foreign => "lines that are not of the stream",
        }
    }
}

/// Most troubles of a kind that are told one by one; further ones are counted.
const MOST_OF_A_KIND: usize = 5;

/// Everything that is wrong with a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    kept: Vec<Trouble>,
    counted: [u64; TroubleKind::ALL.len()],
}

impl Troubles {
    /// Adds one.
    pub fn add(&mut self, kind: TroubleKind, line: u64, what: impl Into<String>) {
        let place = TroubleKind::ALL.iter().position(|known| *known == kind).unwrap_or(0);
        self.counted[place] += 1;
        if self.kept.iter().filter(|trouble| trouble.kind == kind).count() < MOST_OF_A_KIND {
            self.kept.push(Trouble { kind, line, what: what.into() });
        }
    }

    /// Whether nothing at all is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether something of the run is missing: the numbers are not those of the whole run.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.kept.iter().any(|trouble| trouble.kind.is_loss())
    }

    /// A sentence for each, gravest first, with its line; further ones of a kind are counted.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for (kind, counted) in TroubleKind::ALL.into_iter().zip(self.counted) {
            let of_kind = self.kept.iter().filter(|trouble| trouble.kind == kind);
            sentences.extend(of_kind.map(|Trouble { line, what, .. }| format!("line {line}: {what}")));
            if let Some(more) = counted.checked_sub(MOST_OF_A_KIND as u64).filter(|more| *more > 0) {
                sentences.push(format!("and {more} more {}", kind.plural()));
            }
        }
        sentences
    }
}
