//! Whether a page is about a run that is over, or about one that goes on.

/// When a run takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// It is over, or its stream is.
    Past,
    /// It goes on: figures, checks and verdict are those so far.
    Present,
    /// It has not begun.
    Future,
}
