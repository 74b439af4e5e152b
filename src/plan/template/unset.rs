//! Why a text cannot be made.

/// Index of a value that a user takes from an answer and keeps: its name is in
/// [`Plan::variables`](crate::plan::Plan::variables).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// Why a text cannot be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unset {
    /// The value was never taken from an answer.
    Slot(SlotId),
    /// A header field's value would have a control character.
    ControlCharacter,
    /// What is to be a bare JSON number is none.
    NotANumber,
}
