//! What can be wrong with a stream that is read back, with line numbers.

use std::fmt;

use crate::telemetry::troubles::{TroubleKind, Troubles};

/// What kind of thing is wrong, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamTrouble {
    /// The stream does not come to its end.
    CutOff,
    /// Lines are missing within it.
    Lost,
    /// A line, or a histogram in it, cannot be read.
    Torn,
    /// A line contradicts itself, or what was said before: it is left out.
    Contradiction,
    /// The stream is of a later version of the format.
    Later,
    /// A line came twice, or out of order.
    Repeated,
    /// A line is not of a stream.
    Foreign,
}

/// Everything that is wrong with a stream.
pub type StreamTroubles = Troubles<StreamTrouble>;

impl StreamTrouble {
    /// Returns whether something of the run is missing.
    const fn is_loss(self) -> bool {
        match self {
            Self::CutOff | Self::Lost | Self::Torn | Self::Contradiction => true,
            Self::Later | Self::Repeated | Self::Foreign => false,
        }
    }
}

impl TroubleKind for StreamTrouble {
    fn max_kept(self) -> usize {
        5
    }

    fn further(self) -> String {
        let plural = match self {
            Self::CutOff => "ends",
            Self::Lost => "places where lines are missing",
            Self::Torn => "lines that cannot be read",
            Self::Contradiction => "lines that contradict",
            Self::Later => "lines of a later version",
            Self::Repeated => "repeated lines",
            Self::Foreign => "lines that are not of the stream",
        };
        plural.to_owned()
    }
}

impl StreamTroubles {
    /// Adds what is wrong at a line, whose number counts from 1.
    pub fn add_at(&mut self, line: u64, kind: StreamTrouble, what: impl fmt::Display) {
        self.add(kind, format_args!("line {line}: {what}"));
    }

    /// Returns whether something of the run is missing: the numbers are not those of the whole run.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.kinds().any(StreamTrouble::is_loss)
    }
}
